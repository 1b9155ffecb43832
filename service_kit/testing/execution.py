"""One execution as a test sees it: the methods of `ExecutionHandle`, without `await`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from client_kit.executions import (
    ExecutionHandle,
    ExecutionInfo,
    ExecutionStatus,
    SignalContract,
    StateContract,
)
from service_kit.engine.wire import decode_events, encode_events
from service_kit.testing.director import Director

__tracebackhide__ = True  # a failing test shows its own line, not how it was run

__all__ = ["Execution"]

R = TypeVar("R")
T = TypeVar("T")


class Execution(Generic[R]):
    """One execution of a workflow whose result is an `R`. Time stands still while it is looked at.

    What changes with time is a method: a type checker would take a property for what it was before `env.tick()`.
    """

    def __init__(self, director: Director, handle: ExecutionHandle[R]) -> None:
        self._director = director
        self.handle: ExecutionHandle[R] = handle
        """The same for async code, as the service itself uses it."""

    @property
    def id(self) -> str:
        return self.handle.id

    def status(self) -> ExecutionStatus:
        """Return whether it runs, or how it ended."""
        return self.describe().status

    def describe(self) -> ExecutionInfo:
        """Return everything that is known of it but its history."""
        return self._director.run(self.handle.describe())

    def result(self) -> R:
        """Return its result. Raises what the workflow raised, as `ExecutionHandle.result`, and NeverEnds while it runs.

        It does not let time pass: `env.run_until_complete(execution)` does.
        """
        return self._director.result_of(self.handle)

    def history(self) -> Sequence[Mapping[str, Any]]:
        """Return what has happened in its present run, in order: each event with its `kind` and its fields."""
        return self._director.run(self.handle.history())

    def recording(self) -> str:
        """Return its history as JSON: write it to a file, and `Replayer` checks tomorrow's code against it."""
        found = self._director.stored(self.id)
        return encode_events(event for turn in found.history for event in decode_events(turn))

    def signal(self, signal: SignalContract[T], payload: T, *, id: str | None = None) -> None:
        """Send a signal; give an `id` to have it delivered once however often it is sent."""
        self._director.run(self.handle.signal(signal, payload, id=id))

    def cancel(self, reason: str = "") -> None:
        """Ask it to cancel itself."""
        self._director.run(self.handle.cancel(reason))

    def terminate(self, reason: str = "") -> None:
        """End it at once; none of its code runs any more."""
        self._director.run(self.handle.terminate(reason))

    def state(self, state: StateContract[T]) -> T | None:
        """Return the latest value of a state that it publishes; None if it has not yet."""
        return self._director.run(self.handle.state(state))

    def __repr__(self) -> str:
        return f"<Execution {self.id!r}>"
