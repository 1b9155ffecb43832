"""The management API: executions, events and dead letters of a running service, as commands of a contract of its own.

Each is served at `POST /rpc/_system.<name>`, as clients call it, and at a route under `/_system` for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, JsonValue
from pydantic_core import to_json

from client_kit.executions import ExecutionInfo, StartOptions
from service_kit.contract.command import AnyCommand, command
from service_kit.contract.exchange import Next, Request, Response
from service_kit.contract.gateway import Management, require_gateway
from service_kit.contract.route import RPC_PREFIX
from service_kit.contract.service import ServiceContract
from service_kit.errors import ExecutionExists, ExecutionNotFound, Refusal, ServiceError
from service_kit.http.application import HostRoute, Target
from service_kit.http.endpoint import Endpoint
from service_kit.http.options import HttpOptions
from service_kit.http.security import Gate
from service_kit.runtime.idempotency import IdempotencyStore

PREFIX = "_system."
WAIT_MOST_S = 20.0
"""Of one long poll; callers ask again."""

Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=512)]
Status: TypeAlias = Literal["running", "succeeded", "failed", "cancelled", "timed_out", "terminated"]

_management: ContextVar[Management] = ContextVar("service_kit_management")


def set_management(management: Management) -> None:
    """Make `management` the one of this request's context; for hosts."""
    _management.set(management)


class UnknownWorkflow(ServiceError, status=404):
    """The service has no public workflow of this name."""

    workflow: str


class InvalidWorkflowInput(ServiceError, status=422):
    """The input does not fit the workflow's parameters."""

    errors: list[dict[str, JsonValue]]


class Page(BaseModel):
    """One page of a list."""

    executions: Sequence[ExecutionInfo]
    after: str | None


class EmittedEvent(BaseModel):
    """An event to publish."""

    name: str
    payload: dict[str, JsonValue]


@command(method="GET", path="/_system/executions")
async def list_executions(
    workflow: str | None = None,
    status: Status | None = None,
    attribute: Annotated[list[str], Field(description="name=value; all must hold")] = [],  # noqa: B006 - read only
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
    after: str | None = None,
) -> Page:
    """List executions, newest first."""
    pairs = (pair.partition("=") for pair in attribute)
    attributes = {name: value for name, _, value in pairs}
    found, cursor = await _management.get().list_executions(workflow, status, attributes, limit, after)
    return Page(executions=found, after=cursor)


@command(method="GET", path="/_system/executions/{id}", errors=[ExecutionNotFound])
async def describe(id: Id) -> ExecutionInfo:
    """Tell what is known of an execution."""
    return await require_gateway("this").describe(id)


@command(method="GET", path="/_system/executions/{id}/outcome", errors=[ExecutionNotFound])
async def outcome(id: Id, wait_s: Annotated[float, Field(ge=0)] = 0.0) -> str | None:
    """Wait for an execution's end, and tell how it ended; null if it goes on."""
    return await require_gateway("this").outcome(id, min(wait_s, WAIT_MOST_S))


@command(method="GET", path="/_system/executions/{id}/history", errors=[ExecutionNotFound])
async def history(id: Id) -> list[dict[str, Any]]:
    """Tell what has happened in an execution's present run."""
    return [dict(event) for event in await require_gateway("this").history(id)]


@command(method="GET", path="/_system/executions/{id}/states/{name}", errors=[ExecutionNotFound])
async def state(id: Id, name: str) -> str | None:
    """Tell the latest value of a published state, as JSON text."""
    return await require_gateway("this").state(id, name)


@command(path="/_system/executions/{id}/signals", errors=[ExecutionNotFound])
async def signal(id: Id, name: str, payload: JsonValue, signal_id: Id) -> None:
    """Send a signal; one signal id is delivered once."""
    await require_gateway("this").signal(id, name, to_json(payload).decode(), signal_id)


@command(path="/_system/executions/{id}/cancel", errors=[ExecutionNotFound])
async def cancel(id: Id, reason: str = "") -> None:
    """Ask an execution to cancel itself."""
    await require_gateway("this").cancel(id, reason)


@command(path="/_system/executions/{id}/terminate", errors=[ExecutionNotFound])
async def terminate(id: Id, reason: str = "") -> None:
    """End an execution at once."""
    await require_gateway("this").terminate(id, reason)


@command(path="/_system/executions/{id}/pause", errors=[ExecutionNotFound])
async def pause(id: Id, reason: str = "paused by an operator") -> None:
    """Stop the turns of an execution; what arrives is kept."""
    await _management.get().pause(id, reason or "paused")


@command(path="/_system/executions/{id}/resume", errors=[ExecutionNotFound])
async def resume(id: Id) -> None:
    """Let a paused execution go on."""
    await _management.get().pause(id, None)


@command(method="GET", path="/_system/dead-letters")
async def dead_letters(
    subscription: str | None = None, limit: Annotated[int, Field(ge=1, le=1000)] = 100
) -> list[dict[str, Any]]:
    """List events whose delivery failed for good, the oldest first."""
    return [dict(letter) for letter in await _management.get().dead_letters(subscription, limit)]


@command(path="/_system/dead-letters/redrive")
async def redrive(subscription: str, event_id: str | None = None) -> int:
    """Deliver dead letters of a subscription again; tell how many."""
    return await _management.get().redrive(subscription, event_id)


def management_routes(
    contract: ServiceContract, options: HttpOptions, store: IdempotencyStore
) -> list[HostRoute]:
    """Return the routes of the API for one service.

    They are closed. What a caller of workflows needs (start, outcome, state, signal, cancel, ...) the service's own
    security schemes admit him to; what operators do needs one of its `management` schemes. Where there is no
    scheme, only this machine's programs are admitted, and pages that it serves itself. A proxy on this machine
    that adds no header of its own cannot be told from them: a service behind one needs schemes.
    """
    for_callers = Gate(contract.security).guard if contract.security else _from_this_machine
    for_operators = Gate(contract.management).guard if contract.management else _from_this_machine
    open_contract = ServiceContract(name=contract.name, title="System")
    routes: list[HostRoute] = []
    for declared in [*_COMMANDS, *_commands_of(contract)]:
        guard = for_callers if declared.name in _FOR_CALLERS else for_operators
        endpoint = Endpoint(open_contract, declared, options, store)
        routes.append(
            ("POST", f"{RPC_PREFIX}{PREFIX}{declared.name}", Target(guard(endpoint.rpc()), declared))
        )
        rest = endpoint.rest()
        if rest is not None and declared.route is not None:
            routes.append((declared.route.method, declared.route.path, Target(guard(rest), declared)))
    return routes


_FOR_CALLERS = frozenset({"start", "describe", "outcome", "state", "signal", "cancel"})
"""Who knows an execution's id was given it; ids that the service makes cannot be guessed."""

_COMMANDS: tuple[AnyCommand, ...] = (
    list_executions,
    describe,
    outcome,
    history,
    state,
    signal,
    cancel,
    terminate,
    pause,
    resume,
    dead_letters,
    redrive,
)


def _commands_of(contract: ServiceContract) -> list[AnyCommand]:
    """Return the commands that know the service: what may be started and emitted, and with what."""
    workflows = contract.workflows

    @command(path="/_system/executions", errors=[ExecutionExists, UnknownWorkflow, InvalidWorkflowInput])
    async def start(
        workflow: str,
        input: JsonValue = None,
        id: Id | None = None,
        timeout_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None,
        start_delay_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None,
        attributes: Mapping[str, str] = {},
    ) -> str:
        """Start an execution of a public workflow, or find the running one of the same id and input; return its id."""
        declared = workflows.get(workflow)
        if declared is None:
            raise UnknownWorkflow(workflow=workflow)
        payload = "" if input is None else to_json(input).decode()
        try:
            arguments = declared.calls.decode_arguments(payload)
        except ValueError as error:
            raise InvalidWorkflowInput(errors=_errors(error)) from None
        chosen = StartOptions(
            id=id,
            timeout_s=timeout_s or declared.definition.get("timeout_s"),
            start_delay_s=start_delay_s,
            attributes=attributes,
        )
        # Encoded again, so that one input is one text however it was spelt.
        return await require_gateway("this").start(
            workflow, declared.calls.encode_arguments(arguments), chosen
        )

    @command(path="/_system/events")
    async def emit(events: list[EmittedEvent]) -> None:
        """Publish events, all or none."""
        await require_gateway("this").emit([(e.name, to_json(e.payload).decode()) for e in events])

    return [start, emit]


def _errors(error: ValueError) -> list[dict[str, JsonValue]]:
    listed = getattr(error, "errors", None)
    if listed is None:
        return [{"msg": str(error)}]
    found = listed(include_url=False, include_context=False, include_input=False)
    return [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in found]


_PROXY_MARKS = (
    b"forwarded",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-real-ip",
)


def _from_this_machine(inner: Next) -> Next:
    async def guarded(request: Request) -> Response:
        host = request.client[0] if request.client else ""
        # A proxy on this machine speaks for somebody else, and a browser for the page that it shows.
        proxied = any(request.header(mark) is not None for mark in _PROXY_MARKS)
        if proxied or not _is_loopback(host) or not _is_own_page(request):
            raise Refusal(
                403,
                "the management API admits this machine only; give the service a security scheme to open it",
            )
        return await inner(request)

    return guarded


def _is_own_page(request: Request) -> bool:
    """Tell whether no page from elsewhere asks: any page can make a browser on this machine send a request.

    `Origin` tells of those. A page whose own name was pointed at this machine (DNS rebinding) gives itself away in
    `Host`.
    """
    host, origin = request.header(b"host"), request.header(b"origin")
    return (host is None or _is_local(f"//{host}")) and (origin is None or _is_local(origin))


def _is_local(url: str) -> bool:
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return False
    # Names that nobody can own on the internet: those without a dot, and RFC 6761's.
    reserved = name.endswith((".localhost", ".test")) or (name != "" and not {".", ":"} & set(name))
    return reserved or _is_loopback(name)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
