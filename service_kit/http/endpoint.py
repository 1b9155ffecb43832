"""One command over HTTP: decode, admit, run, encode."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from service_kit.contract.codec import CommandCodec
from service_kit.contract.command import AnyCommand, Command, StreamCommand
from service_kit.contract.exchange import Next, Request, Response
from service_kit.contract.service import AsgiMiddleware, ServiceContract
from service_kit.errors import Refusal, ServiceError
from service_kit.http.inputs import Decode, rest_decoder, rpc_decoder
from service_kit.http.options import HttpOptions
from service_kit.http.problems import KitProblem, respond
from service_kit.http.results import result_encoder
from service_kit.http.streaming import event_stream

if TYPE_CHECKING:
    from service_kit.http.idempotency import Idempotency
    from service_kit.runtime.idempotency import IdempotencyStore

_JSON = (b"content-type", b"application/json")


class Endpoint:
    """The two faces of a command, each a `Next`, with middleware and security around it."""

    def __init__(
        self, contract: ServiceContract, declared: AnyCommand, options: HttpOptions, store: IdempotencyStore
    ) -> None:
        self._contract = contract
        self._declared = declared
        self._options = options
        self._store = store
        self._idempotency: Idempotency | None = None
        self._timeout_s = declared.options.get("timeout_s")

    def rpc(self) -> Next:
        """Return what serves `POST /rpc/<name>`."""
        return self._face(rpc_decoder(self._declared.codec, self._contract.cors))

    def rest(self) -> Next | None:
        """Return what serves the REST route, if there is one."""
        rest = self._declared.codec.rest
        if rest is None:
            return None
        return self._face(rest_decoder(rest, self._query_keys(), self._contract.cors))

    def _query_keys(self) -> frozenset[str]:
        """Return the query parameters that are keys, and no parameters of the command."""
        schemes = self._contract.security_of(self._declared)
        if not schemes:
            return frozenset()
        from service_kit.contract.security import ApiKey  # see the end of `application`

        return frozenset(s.parameter for s in schemes if isinstance(s, ApiKey) and s.location == "query")

    def _header_parameters(self) -> tuple[bytes, ...]:
        rest = self._declared.codec.rest
        texts = rest.texts if rest else ()
        return tuple(p.wire_name.lower().encode("latin-1") for p, _ in texts if p.location == "header")

    def _face(self, decode: Decode) -> Next:
        inner = self._stream(decode) if isinstance(self._declared, StreamCommand) else self._answer(decode)
        for middleware in reversed(self._declared.options.get("use", ())):
            inner = self._around(middleware, inner)
        schemes = self._contract.security_of(self._declared)
        if schemes:
            from service_kit.http.security import Gate

            inner = Gate(schemes, self._contract.cors).guard(inner)
        for outer in reversed(self._contract.use):
            if not isinstance(outer, AsgiMiddleware):
                inner = self._around(outer, inner)
        return inner

    def _around(self, middleware: Any, inner: Next) -> Next:
        """Wrap one middleware around `inner`, which answers for its known failures, so that it sees responses."""
        contract, declared = self._contract, self._declared

        async def settled(request: Request) -> Response:
            try:
                return await inner(request)
            except (KitProblem, ServiceError, Refusal) as error:
                return respond(error, contract.name, declared, request)

        async def call(request: Request) -> Response:
            response = cast(Response, await middleware(request, settled))
            # Headers are added on the way out, and middleware may give one response to many requests.
            return Response(response.status, list(response.raw_headers), response.body, response.stream)

        return call

    def _answer(self, decode: Decode) -> Next:
        """Return the hot path: no branch in it that the declaration already decided."""
        declared = cast("Command[..., Any]", self._declared)
        invoke, encode = declared.invoke, _encoder(declared.codec)
        keyed, limited = not declared.idempotent, self._timeout_s is not None

        async def answer(request: Request) -> Response:
            arguments = decode(request)
            lines = request.first_lines
            if keyed and b"idempotency-key" in lines:
                return await self._once(request, arguments, encode)
            if limited or b"request-timeout-ms" in lines:
                return encode(await self._within(request, arguments))
            return encode(await invoke(**arguments))

        return answer

    async def _within(self, request: Request, arguments: dict[str, Any]) -> Any:
        limit_s = self._limit_s(request)
        scope = asyncio.timeout(limit_s)
        try:
            async with scope:
                return await cast("Command[..., Any]", self._declared).invoke(**arguments)
        except TimeoutError:
            if not scope.expired():
                raise
            raise KitProblem(504, "timeout", f"no answer within {limit_s:g} s") from None

    async def _once(
        self, request: Request, arguments: dict[str, Any], encode: Callable[[Any], Response]
    ) -> Response:
        async def conclude(request: Request) -> Response:
            try:
                return encode(await self._within(request, arguments))
            except ServiceError as error:
                return respond(error, self._contract.name, self._declared, request)

        if self._idempotency is None:
            # With the first key that comes: most functions see none in their life.
            from service_kit.http.idempotency import Idempotency

            scope = f"{self._contract.name}/{self._declared.name}"
            self._idempotency = Idempotency(self._store, scope, self._header_parameters())
        return await self._idempotency.answer(request, request.header(b"idempotency-key") or "", conclude)

    def _stream(self, decode: Decode) -> Next:
        declared = cast("StreamCommand[..., Any]", self._declared)

        async def stream(request: Request) -> Response:
            arguments = decode(request)
            if request.header(b"idempotency-key") is not None and not declared.idempotent:
                raise KitProblem(
                    400, "malformed-request", "a stream is not kept; send it without idempotency-key"
                )
            return event_stream(self._contract.name, declared, request, arguments, self._limit_s(request))

        return stream

    def _limit_s(self, request: Request) -> float | None:
        asked = request.header(b"request-timeout-ms")
        return deadline_s(self._timeout_s, asked, self._options.max_timeout_s)


def _encoder(codec: CommandCodec) -> Callable[[Any], Response]:
    """Return the function from a command's result to its response."""
    encode, nothing = result_encoder(codec.output), codec.returns_nothing

    def respond_with(result: Any) -> Response:
        if nothing and result is None:
            return Response(204)
        return Response(200, [_JSON], encode(result))

    return respond_with


def deadline_s(declared_s: float | None, asked_ms: str | None, most_s: float) -> float | None:
    """Return the shorter of what the command allows and the caller waits; raise KitProblem for nonsense."""
    if asked_ms is None:
        return declared_s
    if not asked_ms.isascii() or not asked_ms.isdigit() or len(asked_ms) > 12:
        raise KitProblem(
            400, "malformed-request", "request-timeout-ms must be a whole number of milliseconds"
        )
    asked_s = min(int(asked_ms) / 1000, most_s)
    return asked_s if declared_s is None else min(asked_s, declared_s)
