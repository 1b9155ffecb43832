"""Connections: a service's type and URL, and how to call there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Generic, Protocol, TypeVar

from client_kit.auth import Auth
from client_kit.bound import BoundCommand, BoundStream
from client_kit.contracts import CommandContract
from client_kit.line import Session, bind
from client_kit.options import ClientOptions
from client_kit.retry import Retry
from client_kit.system import ServiceAccess
from client_kit.transports import Transport
from client_kit.workflows import BoundWorkflow, WorkflowContract

__all__ = ["Connection", "ServiceClient", "connect"]


class ServiceType(Protocol):
    """A class whose attributes are commands; they bind themselves to the connection of the instance."""

    _connection: Any


S = TypeVar("S", bound=ServiceType)

ServiceClient = Annotated[S, "a client of the service"]
"""`ServiceClient[Orders]` is `Orders` to a type checker: what `connect(Orders, url)` gives."""


class Connection(Generic[S]):
    """The way to one service: transport, authentication, retries, options."""

    def __init__(
        self,
        service: type[S],
        url: str,
        *,
        transport: Transport | None = None,
        auth: Auth | None = None,
        retry: Retry | None = None,
        timeout_s: float = 30.0,
        options: ClientOptions | None = None,
    ) -> None:
        self.service: type[S] = service
        self._session = Session.at(
            url, transport=transport, auth=auth, retry=retry, timeout_s=timeout_s, options=options
        )

    @property
    def url(self) -> str:
        return self._session.base_url

    def client(self) -> S:
        """Return a typed client over this connection."""
        client = self.service.__new__(
            self.service
        )  # its __init__ would make a connection without our options
        client._connection = self
        return client

    @property
    def access(self) -> ServiceAccess:
        """The way to the service's executions, and what raises there what the service declares."""
        return ServiceAccess(self._session, getattr(self.service, "_system_errors", {}))

    def bind_workflow(self, contract: WorkflowContract) -> BoundWorkflow[..., Any]:
        """Return the workflow as something to start at this service."""
        return BoundWorkflow(ServiceAccess(self._session, contract.errors), contract)

    def bind(self, contract: CommandContract) -> BoundCommand[..., Any] | BoundStream[..., Any]:
        """Return the command as something to call at this service."""
        return bind(self._session, contract)

    async def close(self) -> None:
        """Close the transport; calls raise RuntimeError from now on."""
        await self._session.close()

    def close_sync(self) -> None:
        """Close what sync calls use; calls raise RuntimeError from now on."""
        self._session.close_sync()


class Connecting(Generic[S]):
    """A client for the length of a block: `async with connect(...)`, or `with connect(...)` for sync calls."""

    def __init__(self, connection: Connection[S]) -> None:
        self._connection = connection

    async def __aenter__(self) -> S:
        return self._connection.client()

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()

    def __enter__(self) -> S:
        return self._connection.client()

    def __exit__(self, *_: object) -> None:
        self._connection.close_sync()

    if not TYPE_CHECKING:  # to a type checker it would have every name

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(
                f"there is no client yet: 'async with connect(...) as client', and then client.{name}",
                name=name,
                obj=self,
            )


def connect(
    service: type[S],
    url: str,
    *,
    transport: Transport | None = None,
    auth: Auth | None = None,
    retry: Retry | None = None,
    timeout_s: float = 30.0,
    options: ClientOptions | None = None,
) -> Connecting[S]:
    """Return a typed client of the service at `url`, as a context manager. Nothing is sent before the first call.

    `timeout_s` is for a call with one answer, attempts and waits together, and for the opening of a stream;
    `math.inf` for no limit. A stream may last for ever, unless `.options(timeout_s=...)` says how long. Raises
    InvalidOption for a URL that cannot be.
    """
    return Connecting(
        Connection(
            service, url, transport=transport, auth=auth, retry=retry, timeout_s=timeout_s, options=options
        )
    )
