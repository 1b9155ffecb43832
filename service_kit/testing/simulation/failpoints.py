"""Failpoints: a name for the moment before and the moment after each method of a store.

`with_failpoints(stores, gate)` asks the gate at `executions.commit`, `tasks.settle` and every other method. A
simulation lets things go wrong there; a crash test ends the process there: `CrashAt("executions.commit:after")`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from typing import Any, Protocol, get_args, get_type_hints

from service_kit.runtime.ports import Stores


class Gate(Protocol):
    """What stands between the runtime and a store."""

    async def pass_through(
        self, point: str, write: Callable[[], Awaitable[Any]], args: tuple[Any, ...]
    ) -> Any:
        """Call `write` once, or fail; `point` is `port.method`."""
        ...


def with_failpoints(stores: Stores, gate: Gate) -> Stores:
    """Return stores whose every method passes the gate."""
    found = {each.name: getattr(stores, each.name) for each in fields(stores)}
    ports = {name: None if port is None else _Port(name, port, gate) for name, port in found.items()}
    return Stores(**ports)  # type: ignore[arg-type]  # they have every method of the ports that they stand for


def failpoints() -> list[str]:
    """Return the names of all moments at which a process can be made to crash."""
    # A port that a store may lack is declared as `Port | None`.
    ports = {name: (get_args(hint) or (hint,))[0] for name, hint in get_type_hints(Stores).items()}
    methods = [
        f"{name}.{method}" for name, port in ports.items() for method in vars(port) if method[0] != "_"
    ]
    return [f"{method}:{moment}" for method in methods for moment in ("before", "after")]


class _Port:
    """Any port, with a gate before it."""

    def __init__(self, name: str, inner: object, gate: Gate) -> None:
        self._name = name
        self._inner = inner
        self._gate = gate

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        inner, gate, point = getattr(self._inner, method), self._gate, f"{self._name}.{method}"

        def call(*args: Any, **options: Any) -> Awaitable[Any]:
            return gate.pass_through(point, lambda: inner(*args, **options), args)

        self.__dict__[method] = call
        return call


@dataclass(slots=True)
class CrashAt:
    """A gate that ends this process with SIGKILL at the n-th passage of `port.method:before` or `:after`."""

    point: str
    passage: int = 1
    _passed: int = 0

    def __post_init__(self) -> None:
        if self.point not in (known := failpoints()):
            raise ValueError(f"there is no failpoint '{self.point}'; the failpoints are {', '.join(known)}")

    async def pass_through(
        self, point: str, write: Callable[[], Awaitable[Any]], args: tuple[Any, ...]
    ) -> Any:
        self._reach(f"{point}:before")
        result = await write()
        self._reach(f"{point}:after")
        return result

    def _reach(self, point: str) -> None:
        if point == self.point:
            self._passed += 1
            if self._passed == self.passage:
                os.kill(os.getpid(), signal.SIGKILL)
