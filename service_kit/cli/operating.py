"""How operators' commands reach a running service: its management API, through the client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from client_kit.auth import Auth
from client_kit.auth.api_key import ApiKeyAuth
from client_kit.connection import Connection
from client_kit.errors import (
    CallError,
    ConnectFailed,
    ContractDrift,
    InvalidOption,
    NetworkError,
    ProblemError,
)
from client_kit.executions import ExecutionInfo
from client_kit.management import Manager, manage
from client_kit.options import ClientOptions
from client_kit.system import ServiceAccess
from client_kit.transports.httpx import HttpxTransport
from client_kit.url import parse_url
from service_kit.cli.answers import problem
from service_kit.cli.callees import described_by_service
from service_kit.cli.failures import CliError, Unusable
from service_kit.cli.options import Remote
from service_kit.cli.output import tell
from service_kit.contract.service import Service
from service_kit.errors import ExecutionExists, ExecutionNotFound, ServiceError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Operator:
    """What can be done at a running service."""

    access: ServiceAccess
    manager: Manager

    async def outcome(self, id: str, timeout_s: float | None) -> str:
        """Wait for an execution's end; raise CliError if it goes on."""
        # Waiting goes on through a deployment; a wrong URL must not.
        info = await self.access.describe(id)
        if info.paused and timeout_s is None:
            tell(f"{_paused(info)}; service-kit executions resume {id} lets it go on")
        if (outcome := await self.access.outcome(id, timeout_s)) is not None:
            return outcome
        if (info := await self.access.describe(id)).paused:
            raise CliError(_paused(info), f"let it go on: service-kit executions resume {id}")
        raise CliError(
            f"execution '{id}' still runs after {timeout_s:g} s",
            f"wait longer, or see what it does: service-kit executions history {id}",
        )

    async def signal(self, id: str, name: str, payload: str, signal_id: str) -> None:
        """Send a signal; raise CliError if the execution has ended."""
        if (await self.access.describe(id)).status != "running":
            raise _ended(id)
        if (meant := await self.access.send_signal(id, name, payload, signal_id)) is not None:
            tell(f"warning: the service declares '{meant}' and no '{name}'; if you meant that, send it")

    async def pause(self, id: str, reason: str) -> None:
        """Pause an execution; raise CliError if it has ended."""
        if not await self.manager.pause(id, reason):
            raise _ended(id)

    async def resume(self, id: str) -> None:
        """Let an execution go on; raise CliError if it has ended."""
        if not await self.manager.resume(id):
            raise _ended(id)

    async def end(self, id: str, how: Literal["cancel", "terminate"], reason: str) -> None:
        """Cancel or terminate an execution; raise CliError if it has ended before."""
        if await self.access.call(how, {"id": id, "reason": reason}, idempotent=True) is False:
            raise _ended(id)


def operate(remote: Remote, work: Callable[[Operator], Awaitable[T]]) -> T:
    """Do some work at a running service; raise CliError."""
    try:
        return asyncio.run(_operate(remote, work))
    except InvalidOption as error:
        raise Unusable(f"{error.option} {error.problem}", error.cure) from None
    except (CallError, ServiceError) as error:
        raise _explained(error, remote.url) from None


async def _operate(remote: Remote, work: Callable[[Operator], Awaitable[T]]) -> T:
    url, headers = parse_url(remote.url), remote.headers()
    options = ClientOptions(headers=headers)
    transport = HttpxTransport()
    try:
        auth: Auth | None = None
        if remote.api_key:
            place = (await described_by_service(transport, url, headers, "")).key_place
            auth = ApiKeyAuth(remote.api_key, name=place.name, location=place.location)
        connection = Connection(Service, url, transport=transport, auth=auth, options=options)
        return await work(Operator(connection.access, manage(connection.client())))
    finally:
        await transport.close()


def _paused(info: ExecutionInfo) -> str:
    why = (info.paused_reason or "").partition("\n")[0]
    return f"execution '{info.id}' is paused" + (f" ({why})" if why else "")


def _ended(id: str) -> CliError:
    return CliError(f"execution '{id}' has ended already", f"`service-kit executions show {id}` tells how")


def _explained(error: CallError | ServiceError, url: str) -> CliError:
    match error:
        case ExecutionNotFound(id=id):
            return CliError(
                f"there is no execution '{id}' at {url}", "`service-kit executions list` has them"
            )
        case ExecutionExists(id=id):
            return CliError(
                f"execution '{id}' exists already, with another workflow or input",
                f"choose another id, or look at that one: service-kit executions show {id}",
            )
        case ConnectFailed():
            return CliError(
                f"nothing answers at {url} ({error.reason})",
                "start the service (service-kit dev module:Service), or say where it runs: --url",
            )
        case NetworkError():
            return CliError(error.reason, "check the URL, and that the service runs")
        case ContractDrift():
            differences = "; ".join(f"{path} {how}".strip() for path, how in error.fields.items())
            where = "" if url.rstrip("/") in error.subject else f" ({url})"
            return CliError(f"{error.subject}{where}: {differences}", error.cure)
        case ProblemError():
            return _problem(error, url)
        case _:
            return CliError(str(error))


def _problem(error: ProblemError, url: str) -> CliError:
    if error.type.endswith(":UnknownWorkflow"):
        name = error.members.get("workflow", "")
        known = ", ".join(map(str, error.members.get("known", ())))
        return CliError(
            f"the service at {url} offers no workflow '{name}'",
            f"it offers: {known or 'none'}; its class names those that are started from outside: {name} = {name}",
        )
    if error.type.endswith(":UnknownSchedule"):
        return CliError(
            f"no workflow '{error.members.get('workflow', '')}' at {url} has a schedule",
            "`service-kit schedules list` has them",
        )
    if error.type.endswith(":UnknownEvent"):
        known = ", ".join(map(str, error.members.get("known", ())))
        return CliError(
            f"the service at {url} knows no event '{error.members.get('event', '')}'",
            f"it knows: {known or 'none'}",
        )
    if error.type.endswith(":UnknownSubscription"):
        known = ", ".join(map(str, error.members.get("known", ())))
        return CliError(
            f"the service at {url} has no subscription '{error.members.get('subscription', '')}'",
            f"it has: {known or 'none'}",
        )
    if error.type.endswith(":InvalidTaskCompletion"):
        return CliError(
            str(error.members.get("problem", "")),
            "give the token as `task_token()` returned it, and a result of the task's type",
        )
    if error.type.endswith(":InvalidFork"):
        return CliError(
            str(error.members.get("problem", "")), "`service-kit executions history` shows its turns"
        )
    if error.type.endswith(":InvalidBackfill"):
        return CliError(str(error.members.get("problem", "")), "choose another range: --from, --to")
    if error.type.endswith(":UnknownDeadLetter"):
        subscription, event = error.members.get("subscription", ""), error.members.get("event_id", "")
        return CliError(
            f"subscription '{subscription}' has no dead letter for event '{event}'",
            "`service-kit dead-letters list` has them",
        )
    if error.status in (401, 403):
        return CliError(
            f"the management API at {url} is closed ({error.status}): {error.detail or error.title}",
            "give credentials as --bearer, --api-key or --header; a service without management=[scheme] admits "
            "operators on its own machine only",
        )
    told = {"title": error.title, "detail": error.detail, "request_id": error.request_id}
    return problem({**error.members, **told}, error.status)
