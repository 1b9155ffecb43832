"""The pytest plugin, as a user's own pytest loads it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from service_kit.testing import TestEnvironment
from tests.tidy.sources import ROOT

SERVICE = """
import asyncio
from service_kit import Service, command, task, workflow

@task
async def greet(name: str) -> str:
    return f"hello {name}"

@workflow
async def welcome(name: str) -> str:
    await asyncio.sleep(86_400)
    return await greet(name)

@command
async def invite(name: str) -> str:
    await welcome.options(id=name).start(name)
    return name

class Greetings(Service):
    welcome = welcome
    invite = invite
"""

TESTS = """
import asyncio
import pytest
from service_kit.testing import TestEnvironment
from greetings import Greetings, greet, welcome

@pytest.fixture
def env(service_env):
    return service_env(Greetings)

def test_sync(env):
    assert env.run_until_complete(env.start(welcome, "sam")) == "hello sam"

def test_mocked(env):
    env.mock(greet).returns("hi")
    assert env.run_until_complete(env.start(welcome, "sam")) == "hi"

def test_async(service_env):
    async def test():
        env = service_env(Greetings)
        assert await (await welcome.start("sam")).result() == "hello sam"
        assert len(env.calls_of(greet)) == 1
    asyncio.run(test())

def test_left_running(env):
    env.start(welcome, "sam")

def test_not_yet(env):
    env.start(welcome, "sam").result()

def test_mistaken(env):
    env.mock(greet).returns(3)

def test_that_fails(env):
    env.run_until_complete(env.start(welcome, "sam"))
    assert not env.calls_of(greet)
"""


SETTINGS = """
[pytest]
pythonpath = .
service_kit_service = greetings:Greetings
service_kit_histories = histories more/histories
"""

BOUND = """
import asyncio
import pytest
from client_kit import ServiceClient
from greetings import Greetings, greet, welcome
from service_kit.testing import RecordedHistory, TestEnvironment

Env = TestEnvironment[Greetings]

def test_sync(service_environment: Env, service_client: ServiceClient[Greetings]) -> None:
    assert service_client.invite.sync("sam") == "sam"
    assert service_environment.run_until_complete(service_environment.get(welcome, "sam")) == "hello sam"

@pytest.mark.anyio
async def test_async(service_environment: Env, service_client: ServiceClient[Greetings]) -> None:
    assert await service_client.invite("sam") == "sam"
    assert await welcome.get("sam").result() == "hello sam"
    assert len(service_environment.calls_of(greet)) == 1

@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"

def test_history(recorded_history: RecordedHistory) -> None:
    recorded_history.replay()

class TestAnotherService:
    @pytest.fixture
    def service_class(self) -> type[Greetings]:
        class Others(Greetings): ...
        return Others

    def test_override(self, service_class, service_environment: Env, service_client) -> None:
        assert type(service_client).__name__ == "Others" != Greetings.__name__
"""

MISUSED = """
import pytest

@pytest.fixture(params=["", "nowhere:Greetings", "greetings", "greetings:Farewells", "broken:Greetings"])
def service_name(request):
    return request.param

def test_service(service_name, pytester):
    pytester.makepyfile("def test(service_environment): ...")
    done = pytester.runpytest_inprocess("-p", "service_kit.testing.plugin", "-o", f"service_kit_service={service_name}")
    done.assert_outcomes(errors=1)
"""


def run_pytest(folder: Path, *options: str) -> str:
    """Run a user's tests in a folder, with warnings as errors; return what pytest says."""
    plugins = ["-p", "service_kit.testing.plugin", "-p", "anyio", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "pytest", "-W", "error", *plugins, "-q", *options],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}",
            "PYTEST_ADDOPTS": "",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_fixture_works_with_warnings_as_errors(tmp_path: Path) -> None:
    (tmp_path / "greetings.py").write_text(SERVICE)
    (tmp_path / "test_greetings.py").write_text(TESTS)

    said = run_pytest(tmp_path)

    assert "3 failed, 4 passed" in said, said
    assert "test_that_fails" in said
    assert "NeverEnds: it has not ended yet" in said
    assert "<Mock of 'greet'> is to return 3, which is no result of it" in said
    assert not re.search(r"service_kit/testing/\w+\.py:\d+", said), f"tracebacks end in the tests: {said}"


def test_service_of_the_settings_has_an_environment_a_client_and_a_test_for_each_history(
    tmp_path: Path,
) -> None:
    (tmp_path / "greetings.py").write_text(SERVICE)
    (tmp_path / "test_greetings.py").write_text(BOUND)
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    recording = _recording()
    for name, history in {"a": recording, "of/b": recording, "c": recording.replace("greet", "hail")}.items():
        file = tmp_path / "histories" / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(history)
    other = tmp_path / "more" / "histories" / "a.json"
    other.parent.mkdir(parents=True)
    other.write_text(recording)

    said = run_pytest(tmp_path, "-rA")

    assert "1 failed, 6 passed" in said, said
    assert "PASSED test_greetings.py::test_history[of/b.json]" in said
    assert "FAILED test_greetings.py::test_history[c.json] - service_kit.errors.NonDeterm" in said
    assert "greetings.py:12 in welcome" in said, "the error says where"
    assert "engine/machine.py" not in said, "the traceback ends in the test"


def test_settings_that_fit_nothing_are_told_with_their_cures(tmp_path: Path) -> None:
    (tmp_path / "greetings.py").write_text(SERVICE)
    (tmp_path / "broken.py").write_text("import nothing_of_this_name")
    (tmp_path / "test_misused.py").write_text(MISUSED)
    (tmp_path / "test_histories.py").write_text("""
def test_history(recorded_history): ...

def test_that_records_the_first_one(): ...
""")
    (tmp_path / "empty").mkdir()

    services = run_pytest(tmp_path, "-p", "pytester", "-s", "test_misused.py")

    assert "5 passed" in services, services
    assert "there is no service to test; set service_kit_service = module:Class" in services, services
    assert "No module named 'nowhere'; see to it that tests can import it" in services
    assert "service_kit_service = greetings: that is None, not a service" in services
    assert "service_kit_service = greetings:Farewells: that is None, not a service" in services
    assert "nothing_of_this_name" in services, "a broken module shows where it is broken"
    unset = run_pytest(tmp_path, "test_histories.py")
    empty = run_pytest(tmp_path, "test_histories.py", "-o", "service_kit_histories=empty")
    assert "set service_kit_histories = tests/histories" in unset
    assert "there are no histories (*.json) in" in empty
    for said in (unset, empty):
        assert "1 passed, 1 error" in said, "the test that records the first history can run"


def test_plugin_loads_nothing_of_the_service_until_it_is_used() -> None:
    program = (
        "import sys, service_kit.testing.plugin; "
        "print(sorted(m for m in sys.modules if m.startswith(('service_kit.runtime', 'pydantic', 'client_kit'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def _recording() -> str:
    """Record a history of the example service."""
    namespace: dict[str, Any] = {"__name__": "greetings"}
    exec(SERVICE, namespace)
    with TestEnvironment(namespace["Greetings"]) as env:
        execution = env.start(namespace["welcome"], "sam")
        env.run_until_complete(execution)
        return execution.recording()
