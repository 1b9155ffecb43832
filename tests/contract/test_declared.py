"""Declared errors come back as their classes, in whatever way the code that catches them has imported these."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from service_kit import WorkflowFailed
from service_kit.contract.outcomes import encode_outcome, result_of
from service_kit.engine.failure import Failure
from service_kit.engine.history import ExecutionRaised
from service_kit.testing import Replayer, TestEnvironment

SOURCES = {
    "errands/__init__.py": "",
    "errands/errors.py": """
from service_kit import ServiceError
class Gone(ServiceError, status=410):
    sku: str
class Late(ServiceError, status=409):
    by: int
""",
    "errands/lazy.py": """
from service_kit import ServiceError
class Lazy(ServiceError): ...
""",
    "hidden_errands.py": """
from service_kit import ServiceError
class Hidden(ServiceError): ...
""",
    "errands/tasks.py": """
import errands.errors
from service_kit import Retry, task
@task(retry=Retry(max_attempts=1))
async def pick(sku: str) -> str:
    if sku == "hidden":
        from hidden_errands import Hidden
        raise Hidden()
    if sku == "lazy":
        from errands.lazy import Lazy
        raise Lazy()
    raise errands.errors.Late(by=3) if sku == "late" else errands.errors.Gone(sku=sku)
""",
    "errands/carrying.py": """
from errands.tasks import pick
from service_kit import workflow
@workflow
async def carry(sku: str) -> str:
    return await pick(sku)
""",
    "errands/flows.py": """
from errands import errors
from errands.carrying import carry
from errands.tasks import pick
from service_kit import Service, workflow
@workflow
async def fetch(sku: str) -> str:
    try:
        return await pick(sku)
    except errors.Gone as error:
        return f"no {error.sku}"
@workflow
async def ask(sku: str) -> str:
    try:
        return await fetch(sku)
    except errors.Late as error:
        return f"late by {error.by}"
@workflow
async def tell(sku: str) -> str:
    try:
        return await pick(sku)
    except Exception as error:
        return type(error).__name__
class Errands(Service):
    carry = carry
    fetch = fetch
    ask = ask
    tell = tell
""",
}


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, source in SOURCES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("errands.flows")
    for name in [name for name in sys.modules if "errands" in name]:
        del sys.modules[name]


def test_an_error_is_caught_by_its_module_and_name_in_workflows(flows: Any) -> None:
    with TestEnvironment(flows.Errands) as env:
        assert env.run_until_complete(env.start(flows.fetch, "sku-1")) == "no sku-1"
        assert env.run_until_complete(env.start(flows.ask, "late")) == "late by 3"


def test_an_error_that_only_a_tasks_module_names_comes_back_to_who_waits(flows: Any) -> None:
    with TestEnvironment(flows.Errands) as env:
        late = env.start(flows.carry, "late")
        with pytest.raises(flows.errors.Late) as caught:
            env.run_until_complete(late)
    assert caught.value.by == 3


def test_an_error_that_merely_happens_to_be_loaded_stays_what_it_is_in_every_process(flows: Any) -> None:
    with TestEnvironment(flows.Errands) as env:
        hidden = env.start(flows.carry, "hidden")
        with pytest.raises(WorkflowFailed, match="Hidden"):
            env.run_until_complete(hidden)


def test_an_error_of_a_module_that_only_the_task_has_imported_is_the_same_in_every_process(
    flows: Any,
) -> None:
    with TestEnvironment(flows.Errands) as env:
        told = env.start(flows.tell, "lazy")
        assert env.run_until_complete(told) == "Lazy"
        recording = told.recording()
    del sys.modules["errands.lazy"]  # as in a process that has not run the task
    Replayer(flows.Errands).replay(recording)


def test_an_outcome_that_another_program_has_told_imports_nothing(flows: Any) -> None:
    failure = Failure("errands.lazy:Lazy", "", fields="{}")
    with pytest.raises(WorkflowFailed, match="Lazy"):
        result_of(flows.carry, encode_outcome(ExecutionRaised(failure)))
    assert "errands.lazy" not in sys.modules
