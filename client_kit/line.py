"""The line from one bound command to its service: runs the flow of each call on the connection's transport."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from client_kit.auth import Auth, NoAuth
from client_kit.bound import BoundCommand, BoundStream
from client_kit.contracts import CommandContract, rest_of
from client_kit.deadline import Deadline
from client_kit.drivers import drive, drive_sync
from client_kit.errors import InvalidOption
from client_kit.flow import Endpoint, Policy, call, open_stream
from client_kit.options import CallOptions, ClientOptions, check_timeout
from client_kit.retry import Retry
from client_kit.streams import ItemReader, read_items, read_items_sync
from client_kit.transports import Transport
from client_kit.transports.portal import Portal
from client_kit.url import command_url, parse_url
from client_kit.wire import EVENT_STREAM, AsyncBody, SyncBody


@dataclass(slots=True)
class Session:
    """What all commands of a client share."""

    base_url: str
    transport: Transport
    policy: Policy
    timeout_s: float
    portal: Portal = field(default_factory=Portal)
    closed: bool = False
    answered: bool = False
    """Whether the service has answered a call with a result: then the URL is right."""

    @staticmethod
    def at(
        url: str,
        *,
        transport: Transport | None,
        auth: Auth | None,
        retry: Retry | None,
        timeout_s: float,
        options: ClientOptions | None,
    ) -> Session:
        """Return what the calls of a client share, defaults filled in; raise InvalidOption."""
        check_timeout("timeout_s", timeout_s)
        policy = Policy(auth or NoAuth(), retry or Retry(), options or ClientOptions())
        return Session(parse_url(url), transport or _default_transport(), policy, timeout_s)

    async def close(self) -> None:
        """Close the transport; calls raise RuntimeError from now on."""
        self.closed = True
        await self.transport.close()
        self.portal.close()

    def close_sync(self) -> None:
        """Close what sync calls use; calls raise RuntimeError from now on."""
        self.closed = True
        self.transport.close_sync()
        self.portal.close()


class Line:
    """Immutable: options make another line."""

    __slots__ = ("_clock", "_options", "_rest", "_session", "_timeout_s", "endpoint")

    def __init__(self, session: Session, contract: CommandContract, options: CallOptions) -> None:
        self._session = session
        self._options = options
        self._clock = session.policy.options.world.monotonic
        self._rest = rest_of(contract)
        self._timeout_s = options.timeout_s or (math.inf if contract.streaming else session.timeout_s)
        self.endpoint: Endpoint = Endpoint(
            contract=contract,
            base_url=session.base_url,
            url=command_url(session.base_url, contract.name)
            if self._rest is None
            else f"{session.base_url}{self._rest.path}",
            headers={
                **({"content-type": "application/json"} if self._rest is None else {}),
                "accept": self._accepted(contract),
                "user-agent": "client-kit",
                **session.policy.options.headers,
                **options.headers(),
            },
            keyed=options.idempotency_key is not None,
            policy=session.policy,
        )

    def with_options(self, later: CallOptions) -> Line:
        return Line(self._session, self.endpoint.contract, self._options.merged(later))

    async def call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        endpoint, body, deadline = self._begin(args, kwargs)
        result = await drive(call(endpoint, body, deadline), self._session.transport, deadline)
        self._session.answered = True
        return result

    def call_sync(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        endpoint, body, deadline = self._begin(args, kwargs)
        flow = call(endpoint, body, deadline)
        result = drive_sync(flow, self._session.transport, deadline, self._session.portal)
        self._session.answered = True
        return result

    def items(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        """Return the items; wrong arguments raise here, the request goes out with the first item."""
        endpoint, body, _ = self._begin(args, kwargs)

        async def begin() -> tuple[AsyncBody, ItemReader]:
            opening, whole = self._stream_deadlines()
            flow = open_stream(endpoint, body, opening, whole)
            response = await drive(flow, self._session.transport, opening)
            return cast(AsyncBody, response.stream), self._reader(whole)

        return read_items(begin)

    def items_sync(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Generator[Any, None, None]:
        """Return the items, as `items` does."""
        endpoint, body, _ = self._begin(args, kwargs)

        def begin() -> tuple[SyncBody, ItemReader]:
            opening, whole = self._stream_deadlines()
            flow = open_stream(endpoint, body, opening, whole)
            response = drive_sync(flow, self._session.transport, opening, self._session.portal)
            return cast(SyncBody, response.stream), self._reader(whole)

        return read_items_sync(begin)

    def _begin(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Endpoint, bytes, Deadline]:
        if self._session.closed:
            raise RuntimeError(
                f"the client of {self._session.base_url} is closed; make calls inside its 'async with' block"
            )
        deadline = Deadline(self._timeout_s, self._clock)
        if self._rest is None:
            return self.endpoint, self.endpoint.contract.encode_call(args, kwargs), deadline
        request = self._rest.encode_request(args, kwargs)
        if not request.target.startswith("/"):  # `https://shop.test` + `@evil.test` is a URL of evil.test
            raise InvalidOption(
                f"path '{request.target}' of '{self._rest.name}'",
                "does not begin with '/', and could lead to another host",
                "mend it in the contract",
            )
        endpoint = replace(
            self.endpoint,
            url=f"{self._session.base_url}{request.target}",
            method=request.method,
            headers={**self.endpoint.headers, **request.headers},
        )
        return endpoint, request.body, deadline

    def _accepted(self, contract: CommandContract) -> str:
        if contract.streaming:
            return EVENT_STREAM
        # Somebody else's service may answer with a text or a file.
        return "application/json" if self._rest is None else "application/json, */*;q=0.5"

    def _stream_deadlines(self) -> tuple[Deadline, Deadline]:
        """Return the deadline of the opening and that of the whole stream."""
        opening_s = min(self._timeout_s, self._session.timeout_s)
        return Deadline(opening_s, self._clock), Deadline(self._timeout_s, self._clock)

    def _reader(self, deadline: Deadline) -> ItemReader:
        options = self._session.policy.options
        return ItemReader(self.endpoint.contract, deadline, options.idle_timeout_s, options.max_answer_bytes)


def bind(session: Session, contract: CommandContract) -> BoundCommand[..., Any] | BoundStream[..., Any]:
    """Return a command as something to call."""
    line = Line(session, contract, CallOptions())
    return BoundStream(line) if contract.streaming else BoundCommand(line)


def _default_transport() -> Transport:
    from client_kit.transports.httpx import HttpxTransport  # costs 50 ms, which other transports save

    return HttpxTransport()
