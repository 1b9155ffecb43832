"""Schemathesis, with every check that it has, finds nothing wrong with the todo service.

Its engine runs whole: examples, edge cases of the schema, random data that fits and that does not, and chains
of calls that use one another's answers. Only `max_response_time` is off: timing is for the benchmarks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import schemathesis.openapi
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from plugins.todo.model import TodoChange
from plugins.todo.repository import InMemoryTodos
from plugins.todo.secured import SecuredTodos
from plugins.todo.service import todos_in

VERSIONS = ("3.1", "3.0")
KEY = "a-key-for-tests"


class ImpatientTodos(InMemoryTodos):
    """Todos whose streams of changes end with the last one, and wait for no more."""

    def changes(self, since: int | None, wait_s: float) -> AsyncIterator[TodoChange]:
        return super().changes(since, 0)


def run(application: Any, version: str, options: dict[str, Any]) -> tuple[int, list[str]]:
    """Return how many cases ran, and what was found."""
    schema = schemathesis.openapi.from_asgi(
        f"/openapi.json?version={version}", application, config=SchemathesisConfig.from_dict(options)
    )
    cases, found = 0, list[str]()
    for event in from_schema(schema).execute():
        match event:
            case events.ScenarioFinished():
                cases += len(event.recorder.cases)
                found += failures(event)
            case events.NonFatalError() | events.FatalError():
                found.append(repr(event))
    return cases, found


def failures(scenario: events.ScenarioFinished) -> list[str]:
    checks = [check for case in scenario.recorder.checks.values() for check in case]
    return [
        f"{failed.failure.operation}: {failed.failure.title}\n{failed.failure.message}\n{failed.code_sample}"
        for check in checks
        if (failed := check.failure_info)
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_found_over_the_todo_service(version: str) -> None:
    options = {"generation": {"max-examples": 10, "deterministic": True}}
    cases, found = run(todos_in(ImpatientTodos()).asgi(), version, options)
    assert not found, "\n\n".join(found)
    assert cases > 100


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_found_over_the_todo_service_in_thousands_of_cases(version: str) -> None:
    cases, found = run(todos_in(ImpatientTodos()).asgi(), version, {"generation": {"max-examples": 300}})
    assert not found, "\n\n".join(found)
    assert cases >= 2_000


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_found_over_the_secured_variant(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TODO_API_KEYS", f"tester={KEY}")
    # A call of /changes waits for the next one, for seconds; here no repository can be given that does not.
    options = {
        "headers": {"X-API-Key": KEY},
        "generation": {"max-examples": 10, "deterministic": True},
        "operations": [{"include-path": "/changes", "enabled": False}],
    }
    cases, found = run(SecuredTodos.asgi(), version, options)
    assert not found, "\n\n".join(found)
    assert cases > 100
