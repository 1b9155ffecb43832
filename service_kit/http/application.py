"""The neutral application: a request in, a response out, whatever carries them."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Protocol, TypeAlias

from service_kit.contract.command import AnyCommand
from service_kit.contract.exchange import Next, Request, Response, set_current_request
from service_kit.contract.route import RPC_PREFIX
from service_kit.contract.service import ServiceContract
from service_kit.http.documents import Documents
from service_kit.http.endpoint import Endpoint
from service_kit.http.options import HttpOptions
from service_kit.http.problems import KitProblem, respond
from service_kit.http.router import Found, Router, WrongMethod

if TYPE_CHECKING:
    from service_kit.http.cors import CorsPolicy
    from service_kit.http.mcp.endpoint import McpEndpoint
    from service_kit.http.raw import RawRoutes
    from service_kit.http.security import Gate
    from service_kit.runtime.idempotency import IdempotencyStore

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Target:
    """What a route leads to: the function that answers, and the command whose errors it may raise."""

    __slots__ = ("answer", "declared")

    def __init__(self, answer: Next, declared: AnyCommand | None) -> None:
        self.answer: Next = answer
        self.declared: AnyCommand | None = declared


HostRoute: TypeAlias = tuple[str, str, Target]
"""A method, a path, and what a host serves there beside the service: its management."""


class Find(Protocol):
    """What finds the native route of a request, if there is one."""

    def __call__(
        self, method: str, path: str, raw_path: bytes = b""
    ) -> Found[Target] | WrongMethod | None: ...


class Application:
    """Every native route of a service. `find` first, then `handle`: a host may look before it reads a body."""

    def __init__(
        self,
        contract: ServiceContract,
        options: HttpOptions,
        store: IdempotencyStore,
        enter: Callable[[], object] | None = None,
        host_routes: Sequence[HostRoute] = (),
    ) -> None:
        self.contract = contract
        self.options = options
        self.raw: RawRoutes | None = _raw_routes(contract)
        self.gate: Gate | None = _gate(contract)
        self._cors = _cors_policy(contract, options)
        self._mcp: McpEndpoint | None = None
        self._enter = enter
        """Called in the context of each request: what a host wants its commands to find there."""
        self.find: Find = self._routes(store, host_routes).find
        """From method, path and encoded path to the native route, if there is one."""
        # Unique among processes and unguessable enough for a log line; cheaper than a UUID for each request.
        self._id_prefix = os.urandom(6).hex()
        self._ids = count(1)

    def request_id(self, asked: str | None) -> str:
        """Return the caller's request id, if it is fit for logs and headers, or a new one."""
        if asked is not None and _REQUEST_ID.fullmatch(asked):
            return asked
        return f"{self._id_prefix}-{next(self._ids)}"

    async def handle(self, request: Request, found: Found[Target] | WrongMethod | None) -> Response:
        """Answer a request that `find` has looked at; failures become problems, only cancellation escapes."""
        self.enter(request)
        try:
            if isinstance(found, Found):
                request.path_params = found.path_params
                response = await found.endpoint.answer(request)
            else:
                response = self._unrouted(request, found)
        except Exception as error:  # noqa: BLE001 - the one place where anything becomes an answer
            declared = found.endpoint.declared if isinstance(found, Found) else None
            response = respond(error, self.contract.name, declared, request)
        if self._cors is not None:
            response.raw_headers += self._cors.headers(request)
        response.raw_headers.append((b"x-request-id", request.request_id.encode("latin-1")))
        return response

    def enter(self, request: Request) -> None:
        """Make the request, and what the host wants, known to the code that will answer it."""
        set_current_request(request)
        if self._enter is not None:
            self._enter()

    def too_large(self) -> KitProblem:
        """Return the failure of a body beyond the limit."""
        limit = self.options.body_limit_bytes
        return KitProblem(
            413, "too-large", f"the body is larger than {limit} bytes, the limit of this service"
        )

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return the answer to a request that fails before it is handled."""
        response = respond(error, self.contract.name, None, request)
        response.raw_headers += self.cors_headers(request)
        response.raw_headers.append((b"x-request-id", request.request_id.encode("latin-1")))
        return response

    def cors_headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        """Return what a raw route's answer needs for a page of another origin to read it."""
        return self._cors.headers(request) if self._cors else []

    def preflight(self, request: Request) -> Response | None:
        """Return the answer to a CORS preflight, if `request` is one and the service allows other origins."""
        if self._cors is None or request.method != "OPTIONS":
            return None
        response = self._cors.preflight(request, ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"))
        if response is not None:
            response.raw_headers.append((b"x-request-id", request.request_id.encode("latin-1")))
        return response

    def _unrouted(self, request: Request, found: WrongMethod | None) -> Response:
        if found is None:
            raise KitProblem(404, "not-found", f"there is nothing at {request.path}")
        allowed = ", ".join([*found.allowed, *(["HEAD"] if "GET" in found.allowed else []), "OPTIONS"])
        if request.method == "OPTIONS":
            return Response(204, [(b"allow", allowed.encode())])
        problem = KitProblem(
            405, "method-not-allowed", f"{request.path} takes {allowed}, not {request.method}"
        )
        problem.headers["allow"] = allowed
        raise problem

    def _routes(self, store: IdempotencyStore, host_routes: Sequence[HostRoute]) -> Router[Target]:
        router: Router[Target] = Router()
        for name, declared in self.contract.commands.items():
            endpoint = Endpoint(self.contract, declared, self.options, store)
            router.add("POST", RPC_PREFIX + name, Target(endpoint.rpc(), declared))
            rest = endpoint.rest()
            if rest is not None and declared.route is not None:
                router.add(declared.route.method, declared.route.path, Target(rest, declared))
        for method, path, target in host_routes:
            router.add(method, path, target)
        if self.options.mcp:
            router.add("POST", "/mcp", Target(self._answer_mcp, None))
            # Only tokens have an issuer; the path of the endpoint follows the well-known one (RFC 9728, section 3.1).
            if any(scheme.kind == "jwt" for scheme in self.contract.schemes.values()):
                for path in ("", "/mcp"):
                    target = Target(self._answer_mcp_metadata, None)
                    router.add("GET", f"/.well-known/oauth-protected-resource{path}", target)
        # After the commands, so that a command may serve an edited document at the path of the original.
        raw = self.raw.specification if self.raw else lambda: None
        for path, answer in Documents(self.contract, self.options, raw).routes():
            router.add("GET", path, Target(answer, None))
        return router

    async def _answer_mcp(self, request: Request) -> Response:
        return await (await self._mcp_endpoint()).answer(request)

    async def _answer_mcp_metadata(self, request: Request) -> Response:
        return await (await self._mcp_endpoint()).metadata(request)

    async def _mcp_endpoint(self) -> McpEndpoint:
        """Return what serves `/mcp`, made with the first message: other requests go on meanwhile."""
        if self._mcp is None:
            try:
                made = await asyncio.to_thread(self._make_mcp_endpoint)
            except ModuleNotFoundError as error:
                if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
                    raise
                missing = "MCP needs a package that is not installed here: pip install 'service-kit[server]'"
                raise KitProblem(501, "not-installed", missing) from None
            self._mcp = self._mcp or made
        return self._mcp

    def _make_mcp_endpoint(self) -> McpEndpoint:
        from service_kit.http.mcp.endpoint import McpEndpoint  # the protocol's SDK takes a second to import

        return McpEndpoint(self)


# What not every service has is imported by those that have it: each import is part of a Lambda function's cold start.


def _raw_routes(contract: ServiceContract) -> RawRoutes | None:
    if not contract.routes:
        return None
    from service_kit.http.raw import RawRoutes

    return RawRoutes(contract.title, contract.routes)


def _gate(contract: ServiceContract) -> Gate | None:
    if not contract.security:
        return None
    from service_kit.http.security import Gate

    return Gate(contract.security, contract.cors)


def _cors_policy(contract: ServiceContract, options: HttpOptions) -> CorsPolicy | None:
    if contract.cors is None:
        return None
    from service_kit.http.cors import CorsPolicy

    of_agents = ("mcp-protocol-version", "mcp-method", "mcp-name") if options.mcp else ()
    return CorsPolicy(contract.cors, (*_own_headers(contract), *of_agents))


def _own_headers(contract: ServiceContract) -> Iterator[str]:
    """Yield the headers in which the service itself asks for keys and parameters."""
    from service_kit.contract.security import ApiKey

    for scheme in contract.schemes.values():
        if isinstance(scheme, ApiKey) and scheme.location == "header":
            yield scheme.parameter
    for declared in contract.commands.values():
        rest = declared.codec.rest
        yield from (p.wire_name for p, _ in rest.texts if p.location == "header") if rest else ()
