"""Published services: a class of signatures, whose instances are clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from client_kit.contracts.errors import ExecutionExists, ExecutionNotFound, ServiceError

if TYPE_CHECKING:
    from client_kit.connection import Connection
    from client_kit.contracts.commands import AnyCommand
    from client_kit.contracts.workflows import Workflow

__all__ = ["Service"]


class Service:
    """Base of published services: the contract of a service whose code is elsewhere.

    `name` and `version` are those of the service. `async with connect(Orders, url) as client` calls it.
    """

    _name: ClassVar[str] = ""
    _version: ClassVar[str] = ""
    _system_errors: ClassVar[Mapping[str, type[ServiceError]]] = {
        "ExecutionNotFound": ExecutionNotFound,
        "ExecutionExists": ExecutionExists,
    }
    _connection: Connection[Any]

    def __init_subclass__(cls, *, name: str | None = None, version: str | None = None) -> None:
        super().__init_subclass__()
        cls._name = cls._name if name is None else name
        cls._version = cls._version if version is None else version

    def __init__(self, url: str) -> None:
        from client_kit.connection import Connection  # which itself reads contracts

        self._connection = Connection(type(self), url)

    def _bind(self, declared: AnyCommand) -> object:
        bound = self._connection.bind(declared)
        self.__dict__[declared.name] = bound  # the next look-up does not come here
        return bound

    def _bind_workflow(self, declared: Workflow[..., Any]) -> object:
        bound = self._connection.bind_workflow(declared)
        self.__dict__[declared.name] = bound
        return bound

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()
