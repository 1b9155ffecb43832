"""The pytest plugin: fixtures, in every project that has service-kit installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import pytest

if TYPE_CHECKING:  # at pytest's start nobody needs it yet
    from service_kit.contract.service import Service
    from service_kit.testing.environment import TestEnvironment
    from service_kit.testing.replayer import RecordedHistory

S = TypeVar("S", bound="Service")

SERVICE = "service_kit_service"
HISTORIES = "service_kit_histories"


class EnvironmentFactory(Protocol):
    """What the fixture `service_env` is."""

    def __call__(self, service: type[S], *, start: datetime | None = None) -> TestEnvironment[S]: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the two settings of pytest's configuration."""
    parser.addini(SERVICE, "the service that service_environment and the like are of, as module:Class")
    parser.addini(HISTORIES, "folders of recorded histories, one test with recorded_history each", "paths")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each recorded history."""
    if "recorded_history" in metafunc.fixturenames:
        found = _histories(metafunc.config.getini(HISTORIES))
        ids, files = [name for name, _ in found], [file for _, file in found]
        metafunc.parametrize("recorded_history", files, ids=ids, indirect=True)


@pytest.fixture
def service_env() -> Iterator[EnvironmentFactory]:
    """Make test environments that end with the test: `env = service_env(Orders)`."""
    with ExitStack() as stack:

        def enter(service: type[S], *, start: datetime | None = None) -> TestEnvironment[S]:
            from service_kit.testing.environment import START, TestEnvironment

            return stack.enter_context(TestEnvironment(service, start=start or START))

        yield enter


@pytest.fixture(scope="session")
def service_class(pytestconfig: pytest.Config) -> type[Service]:
    """The service under test, from the setting `service_kit_service`; a fixture of this name takes its place."""
    return _load(pytestconfig.getini(SERVICE))


@pytest.fixture
def service_environment(
    service_env: EnvironmentFactory, service_class: type[Service]
) -> TestEnvironment[Service]:
    """A test environment of `service_class`; annotate it as `TestEnvironment[Orders]`."""
    return service_env(service_class)


@pytest.fixture
def service_client(service_environment: TestEnvironment[Service]) -> Service:
    """The client of `service_environment`; annotate it as `ServiceClient[Orders]`."""
    return service_environment.client


@pytest.fixture
def recorded_history(request: pytest.FixtureRequest) -> RecordedHistory:
    """Each history of the folders in `service_kit_histories`, a test each: `recorded_history.replay()`."""
    from service_kit.testing.replayer import RecordedHistory

    if isinstance(request.param, str):
        pytest.fail(request.param, pytrace=False)
    return RecordedHistory(request.getfixturevalue("service_class"), request.param)


def _load(name: str) -> type[Service]:
    from service_kit.contract.service import Service

    cure = f"set {SERVICE} = module:Class in pytest's configuration, or write a fixture 'service_class'"
    if not name:
        pytest.fail(f"there is no service to test; {cure}", pytrace=False)
    module, _, attribute = name.partition(":")
    found, missing = None, ""
    try:
        found = getattr(import_module(module), attribute, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # the module is there, and imports another one that is not
        missing = str(error)
    if missing:
        cure = "see to it that tests can import it: pytest's setting 'pythonpath'"
        pytest.fail(f"{SERVICE} = {name}: {missing}; {cure}", pytrace=False)
    if not (isinstance(found, type) and issubclass(found, Service)):
        pytest.fail(f"{SERVICE} = {name}: that is {found!r}, not a service; {cure}", pytrace=False)
    return found


def _histories(folders: list[Path]) -> list[tuple[str, Path | str]]:
    """Return the recorded histories by their names in the folders, and why there are none where there are none.

    None would be a check that always passes, so that it fails: that test, and not its module, where the first
    history may be about to be recorded.
    """
    if not folders:
        cure = f"set {HISTORIES} = tests/histories in pytest's configuration"
        return [("no folder", f"there is no folder of recorded histories; {cure}")]
    found: list[tuple[str, Path | str]] = []
    for folder in folders:
        files = sorted(folder.rglob("*.json"))
        found += [(file.relative_to(folder).as_posix(), file) for file in files]
        if not files:
            told = (
                f"there are no histories (*.json) in '{folder}', of {HISTORIES}; record some by "
                f"Execution.recording, or by 'service-kit executions history ID --json'"
            )
            found.append((f"{folder.name} is empty", told))
    return found
