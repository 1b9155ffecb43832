"""The routes of the management API, and who is admitted to them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Annotated, TypeAlias

from pydantic import Field, JsonValue, ValidationError
from pydantic_core import from_json, to_json

from client_kit.executions import StartOptions
from service_kit.contract.command import AnyCommand, command
from service_kit.contract.event import Event
from service_kit.contract.exchange import Next, Request, Response
from service_kit.contract.gateway import require_gateway
from service_kit.contract.gather import gather
from service_kit.contract.route import RPC_PREFIX
from service_kit.contract.scheduler import scheduler_id
from service_kit.contract.service import ServiceContract
from service_kit.errors import ExecutionExists, ExecutionNotFound, Refusal
from service_kit.http.application import HostRoute, Target
from service_kit.http.endpoint import Endpoint
from service_kit.http.management import (
    COMMANDS,
    FOR_CALLERS,
    PREFIX,
    ChosenId,
    EmittedEvent,
    Id,
    InvalidEvent,
    InvalidSignal,
    InvalidWorkflowInput,
    UnknownEvent,
    UnknownWorkflow,
    Workflow,
    hide_from_caller,
    is_hidden,
    tell_operators,
    touchable,
)
from service_kit.http.management_letters import letter_commands_of
from service_kit.http.management_schedules import SCHEDULE_COMMANDS
from service_kit.http.options import HttpOptions
from service_kit.http.origins import is_local, is_loopback
from service_kit.http.problems import KitProblem
from service_kit.http.security import Gate
from service_kit.runtime.idempotency import IdempotencyStore

logger: logging.Logger = logging.getLogger("service_kit.http")

AttributeName: TypeAlias = Annotated[str, Field(pattern="^[^=]+$", description="lists ask for name=value")]

Admission: TypeAlias = Callable[[Request], Awaitable[None]]
"""Lets a caller in, or raises why not."""


def management_routes(
    contract: ServiceContract, options: HttpOptions, store: IdempotencyStore
) -> list[HostRoute]:
    """Return the routes of the API for one service.

    They are closed. What a caller of workflows needs (start, outcome, state, signal, cancel, ...) the service's own
    security schemes admit him to; what operators do needs one of its `management` schemes. Where there is no
    scheme, only this machine's programs are admitted, and pages that it serves itself. A proxy on this machine
    that adds no header of its own cannot be told from them: a service behind one needs schemes. What schedules have
    started, and schedules themselves, have ids that anybody can guess: they are hidden from all but operators.
    """
    callers = Gate(contract.security).admit if contract.security else _admit_this_machine
    operators = Gate(contract.management).admit if contract.management else _admit_this_machine
    for_callers = _hiding(callers, operators, contract)
    open_contract = ServiceContract(name=contract.name, title="System")
    routes: list[HostRoute] = []
    for declared in [
        *COMMANDS,
        *SCHEDULE_COMMANDS,
        *_workflow_commands_of(contract),
        *_event_commands_of(contract),
        *letter_commands_of(contract),
    ]:
        admit = for_callers if declared.name in FOR_CALLERS else operators
        endpoint = Endpoint(open_contract, declared, options, store)
        routes.append(
            ("POST", f"{RPC_PREFIX}{PREFIX}{declared.name}", Target(_behind(admit, endpoint.rpc()), declared))
        )
        rest = endpoint.rest()
        if rest is not None and declared.route is not None:
            routes.append(
                (declared.route.method, declared.route.path, Target(_behind(admit, rest), declared))
            )
    return routes


def _workflow_commands_of(contract: ServiceContract) -> list[AnyCommand]:
    """Return the commands that know the workflows: which may be started, what they are told, and what they show."""
    workflows = contract.workflows

    @command(path="/_system/executions", errors=[ExecutionExists, UnknownWorkflow, InvalidWorkflowInput])
    async def start(
        workflow: str,
        input: JsonValue = None,
        id: ChosenId | None = None,
        timeout_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None,
        start_delay_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None,
        attributes: Mapping[AttributeName, str] = {},
    ) -> str:
        """Start an execution of a public workflow, or find the running one of the same id and input; return its id."""
        if id is not None and is_hidden(id):
            raise Refusal(403, f"'{id}' is an id of a schedule; choose another one")
        declared = workflows.get(workflow)
        if declared is None:
            raise UnknownWorkflow(workflow=workflow, known=sorted(workflows))
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

    @command(path="/_system/executions/{id}/signals", errors=[ExecutionNotFound, InvalidSignal])
    async def signal(
        id: Id, name: str, payload: JsonValue, signal_id: ChosenId, workflow: Workflow = None
    ) -> str | None:
        """Send a signal; one signal id is delivered once.

        The payload of one that the service's class declares is checked. A workflow may receive others, of its own
        module or with names that it makes up as it runs: those are passed on as they are. If the name is almost one
        that the class declares, that one is the answer.
        """
        touchable(id)
        text, meant = to_json(payload).decode(), None
        if name in contract.signals:
            try:
                contract.signals[name].decode(text)
            except ValidationError as error:
                raise InvalidSignal(signal=name, errors=_errors(error)) from None
        else:
            meant = _doubt(id, name, contract.signals)
        await require_gateway("this").signal(id, name, text, signal_id, workflow)
        return meant

    @command(method="GET", path="/_system/executions/{id}/states", errors=[ExecutionNotFound])
    async def states(id: Id) -> dict[str, JsonValue]:
        """Tell the latest values of the service's public states, as far as the execution has set them."""
        gateway = require_gateway("this")
        await gateway.describe(touchable(id))
        found = {name: await gateway.state(id, name) for name in contract.states}
        return {name: from_json(text) for name, text in found.items() if text is not None}

    return [start, signal, states]


def _event_commands_of(contract: ServiceContract) -> list[AnyCommand]:
    """Return the command that knows the events."""

    @command(path="/_system/events", errors=[UnknownEvent, InvalidEvent])
    async def emit(events: list[EmittedEvent]) -> None:
        """Publish events, all or none."""
        known = gather(contract).events
        await require_gateway("this").emit([(e.name, _checked(e, known)) for e in events])

    return [emit]


def _checked(event: EmittedEvent, known: Mapping[str, type[Event]]) -> str:
    """Return an event's payload, written as the service itself writes it."""
    if event.name not in known:
        raise UnknownEvent(event=event.name, known=sorted(known))
    try:
        return known[event.name].model_validate_json(to_json(event.payload)).model_dump_json(by_alias=True)
    except ValidationError as error:
        raise InvalidEvent(event=event.name, errors=_errors(error)) from None


def _doubt(id: str, name: str, known: Collection[str]) -> str | None:
    """Return the name of the class that another one almost is: the workflow would wait for that one for ever."""
    from difflib import get_close_matches  # of no use to whoever makes no mistake

    meant = next(iter(get_close_matches(name[:100], known, n=1, cutoff=0.8)), None)
    if meant is not None:
        logger.warning(
            "execution %r was sent signal %.100r, which the class does not name; if it meant %r, send that",
            id,
            name,
            meant,
        )
    return meant


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


def _behind(admit: Admission, inner: Next) -> Next:
    async def guarded(request: Request) -> Response:
        await admit(request)
        return await inner(request)

    return guarded


def _hiding(callers: Admission, operators: Admission, contract: ServiceContract) -> Admission:
    """Return what admits callers, and hides what the system has given ids to unless they are operators, too."""
    names = frozenset(gather(contract).schedules)

    def is_systems(id: str) -> bool:
        workflow, at, _ = id.partition("@")
        return id.startswith(scheduler_id("")) or (bool(at) and workflow in names)

    async def admit(request: Request) -> None:
        await callers(request)
        tell_operators(partial(_admits, operators, request))
        seen = bool(names) and await _admits(operators, request)
        hide_from_caller((lambda _: False) if seen else is_systems)

    return admit


async def _admits(admission: Admission, request: Request) -> bool:
    """Tell whether somebody who is in already would be admitted here, too; he stays who he is."""
    principal = request.principal
    try:
        await admission(request)
    except (KitProblem, Refusal):
        return False
    finally:
        request.principal = principal
    return True


async def _admit_this_machine(request: Request) -> None:
    host = request.client[0] if request.client else ""
    # A proxy on this machine speaks for somebody else, and a browser for the page that it shows.
    proxied = any(request.header(mark) is not None for mark in _PROXY_MARKS)
    if proxied or not is_loopback(host) or not _is_own_page(request):
        raise Refusal(
            403,
            "the management API admits this machine only; give the service a security scheme to open it",
        )


def _is_own_page(request: Request) -> bool:
    """Tell whether no page from elsewhere asks: any page can make a browser on this machine send a request.

    `Origin` tells of those. A page whose own name was pointed at this machine (DNS rebinding) gives itself away in
    `Host`.
    """
    host, origin = request.header(b"host"), request.header(b"origin")
    return (host is None or is_local(f"//{host}")) and (origin is None or is_local(origin))
