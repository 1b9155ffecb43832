"""Mistakes of tests that no type checker looks at: each is told where it is made, with its cure."""

from __future__ import annotations

from asyncio import iscoroutine
from collections.abc import Sequence
from datetime import timedelta

from service_kit.contract.command import Command
from service_kit.contract.event import Event
from service_kit.contract.signal import Signal
from service_kit.contract.workflow import Workflow

__all__ = [
    "expect_coroutine",
    "expect_events",
    "expect_execution",
    "expect_seconds",
    "expect_span",
    "expect_workflow",
    "no_double",
]

__tracebackhide__ = True  # a failing test shows its own line, not how it was run


def no_double(given: object, what: str) -> TypeError:
    """Return the error for something that cannot be mocked or recorded."""
    told = f"{given!r} cannot be {what}: a task, a workflow or a subscription can"
    match given:
        case Command():
            cure = "A command runs as it is: call it by env.client, and mock the tasks of what it starts"
        case Signal():
            cure = f"Send a signal: env.signal(execution, {given.name}, ...)"
        case type() if issubclass(given, Event):
            cure = f"Publish an event by env.emit(...), and see env.events_of({given.__name__})"
        case _ if callable(given):
            cure = "Declare it with @task, or replace what it calls by pytest's monkeypatch"
        case _:
            return TypeError(told)
    return TypeError(f"{told}. {cure}")


def expect_workflow(given: object) -> None:
    """Raise TypeError for what cannot be started."""
    if isinstance(given, Workflow):
        return
    if isinstance(given, Command):
        raise TypeError(f"{given!r} is no workflow; call a command: env.run(env.client.{given.name}(...))")
    raise TypeError(f"{given!r} is no workflow; give the function that @workflow declares")


def expect_events(given: Sequence[object]) -> None:
    """Raise TypeError for what cannot be published."""
    for each in given:
        if isinstance(each, type):
            raise TypeError(
                f"{each.__name__} is a class; give the event itself: env.emit({each.__name__}(...))"
            )
        if not isinstance(each, Event):
            raise TypeError(f"{each!r} is no event; give an instance of a subclass of Event")


def expect_execution(given: object) -> None:
    """Raise TypeError for what is no execution or handle of one."""
    if not hasattr(given, "id"):
        raise TypeError(
            f"{given!r} is no execution; give what env.start(...) or env.get(workflow, id) returns"
        )


def expect_coroutine(given: object) -> None:
    """Raise TypeError for what cannot be run."""
    if not iscoroutine(given):
        raise TypeError(
            f"{given!r} is no coroutine, as env.run(env.client.place_order(...)) has it; an execution runs by itself: "
            f"env.run_until_complete(execution)"
        )


def expect_seconds(given: object) -> None:
    """Raise TypeError for what is no number."""
    if not isinstance(given, int | float):
        raise TypeError(f"{given!r} is no number of seconds; a timedelta passes by env.advance(...)")


def expect_span(given: object) -> None:
    """Raise TypeError for what is no timedelta."""
    if not isinstance(given, timedelta):
        raise TypeError(f"{given!r} is no timedelta; seconds pass by env.tick({given!r})")
