"""Which declared errors of a workflow a published contract brings along."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from service_kit.contract.outcomes import encode_outcome
from service_kit.engine.failure import Failure
from service_kit.engine.history import ExecutionRaised
from service_kit.publishing.declared import publish_service
from tests.publishing.packages import imported

ERRANDS = {
    "errand_errors": """
from service_kit import ServiceError
class Late(ServiceError, status=409):
    by: int
class Lost(ServiceError): ...
""",
    "errand_tasks": """
import errand_errors
from service_kit import ServiceError, task
class Gone(ServiceError, status=410): ...
class Closed(ServiceError):
    until: int
@task
async def pick(sku: str) -> str: ...
""",
    "errands_of_today": """
import errand_tasks
from errand_errors import Lost
from errand_tasks import pick
from service_kit import Service, ServiceError, command, workflow
class Closed(ServiceError): ...
@command(errors=[Closed])
async def ask() -> None: ...
@workflow
async def fetch(sku: str) -> str: ...
class Errands(Service):
    ask = ask
    fetch = fetch
""",
}


def test_a_workflow_raises_the_errors_that_its_tasks_declare_as_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, source in ERRANDS.items():
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    home = importlib.import_module("errands_of_today")
    try:
        published = imported(publish_service(home.Errands), tmp_path)
    finally:
        for name in ERRANDS:
            del sys.modules[name]
    ending = ExecutionRaised(Failure("errand_errors:Late", "late", fields='{"by":3}'))
    with pytest.raises(published.Late) as caught:
        published.Errands.fetch.decode_outcome(encode_outcome(ending))
    assert caught.value.by == 3
    assert {"Gone", "Late", "Lost", "Closed"} <= set(published.__all__)
    assert not published.Closed.fields_model().model_fields, "the name in use stays with its class"
