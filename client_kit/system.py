"""The management API as the client calls it: commands whose names begin with `_system.`, with JSON as it is."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from client_kit.answers import NO_SUCH_COMMAND
from client_kit.contracts import ErrorContract
from client_kit.errors import ContractDrift, NetworkError, ProblemError
from client_kit.executions import ExecutionInfo, StartOptions
from client_kit.line import Line, Session
from client_kit.options import CallOptions

__all__ = ["ServiceAccess", "info_of"]

logger: logging.Logger = logging.getLogger("client_kit")

PREFIX = "_system."
LOST_S = 1.0
"""Between two looks for a service that cannot be reached."""
MARGIN_S = 10.0
"""What an answer may take beyond the wait that was asked for."""
TURNS_MOST = 1_000
"""In one page of a history."""
FOR_EVER_S = 1e12
"""What a request says that may wait without an end: JSON has no infinity."""
RUNS_MOST = 10
"""Runs that may be over while a history is read, before who reads it is told."""


def _no_errors() -> dict[str, ErrorContract]:
    return {}


@dataclass(frozen=True, slots=True)
class SystemCall:
    """One command of the management API, as a `CommandContract`."""

    name: str
    idempotent: bool
    errors: Mapping[str, ErrorContract] = field(default_factory=_no_errors)
    streaming: bool = False

    def encode_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
        assert not args, "parameters of the management API are given by name"
        return json.dumps(kwargs, ensure_ascii=False, allow_nan=False).encode()

    def decode_result(self, body: bytes) -> Any:
        return json.loads(body) if body else None


class ServiceAccess:
    """A way to the executions of a service over its connection; an `ExecutionAccess`."""

    def __init__(self, session: Session, errors: Mapping[str, ErrorContract]) -> None:
        self._session = session
        self._errors = errors

    async def call(
        self,
        name: str,
        fields: Mapping[str, object],
        /,
        *,
        idempotent: bool = False,
        timeout_s: float | None = None,
    ) -> Any:
        """Call one command of the management API; its `fields` may have the names of the request's own options."""
        contract = SystemCall(PREFIX + name, idempotent, self._errors)
        line = Line(self._session, contract, CallOptions(timeout_s=timeout_s))
        try:
            return await line.call((), fields)
        except ContractDrift as drift:
            if drift.fields != NO_SUCH_COMMAND:
                raise
            raise ContractDrift(
                contract.name,
                drift.subject,
                {"": "serves commands only"},
                "workflows need a durable host: 'service-kit dev', 'service-kit start', or LocalHost",
            ) from None

    async def start(self, workflow: str, payload: str, options: StartOptions) -> str:
        """Start an execution. With an id it is idempotent, so a lost answer is asked for again."""
        started: str = await self.call(
            "start",
            {
                "workflow": workflow,
                "input": json.loads(payload) if payload else None,
                "id": options.id,
                "timeout_s": options.timeout_s,
                "start_delay_s": options.start_delay_s,
                "attributes": dict(options.attributes),
            },
            idempotent=options.id is not None,
        )
        return started

    async def outcome(self, id: str, wait_s: float | None, workflow: str | None = None) -> str | None:
        """Return how the execution ended, as `ExecutionAccess` says.

        Who waits for days waits through a deployment, too: a service that is away is asked again until it is back.
        One that has never answered this client is not waited for: its URL may be wrong.
        """
        waiting = False
        world = self._session.policy.options.world
        clock = world.monotonic
        deadline_s = math.inf if wait_s is None else clock() + wait_s
        while True:
            left_s = max(min(deadline_s - clock(), world.poll_s), 0.0)
            try:
                found: str | None = await self.call(
                    "outcome",
                    {"wait_s": min(left_s, FOR_EVER_S)} | _execution(id, workflow),
                    idempotent=True,
                    timeout_s=left_s + MARGIN_S,
                )
            except (NetworkError, ProblemError) as error:
                if not (_is_away(error) and self._session.answered) or clock() + LOST_S >= deadline_s:
                    raise
                if not waiting:
                    logger.warning("waiting for the service of execution '%s' to come back: %s", id, error)
                waiting = True
                await asyncio.sleep(LOST_S)
                continue
            waiting = False
            if found is not None or clock() >= deadline_s:
                return found

    async def describe(self, id: str, workflow: str | None = None) -> ExecutionInfo:
        return info_of(await self.call("describe", _execution(id, workflow), idempotent=True))

    async def history(self, id: str, workflow: str | None = None) -> Sequence[Mapping[str, Any]]:
        """Return the whole history of the present run, from as many pages as it takes.

        Raises the service's ProblemError for an execution that continues as new faster than its pages are read.
        """
        events, after, runs = list[Mapping[str, Any]](), None, 0
        while True:
            try:
                page, after = await self.history_page(id, TURNS_MOST, after, workflow)
            except ProblemError as error:
                runs += 1
                if not error.type.endswith(":RunOver") or runs == RUNS_MOST:
                    raise
                events.clear()
                after = None
                continue
            events += page
            if after is None:
                return events

    async def history_page(
        self, id: str, limit: int, after: str | None, workflow: str | None = None
    ) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """Return the events of some turns, and the cursor of the next ones."""
        fields = {"limit": limit, "after": after} | _execution(id, workflow)
        found = await self.call("history_page", fields, idempotent=True)
        return found["events"], found["after"]

    async def state(self, id: str, name: str, workflow: str | None = None) -> str | None:
        fields = {"name": name} | _execution(id, workflow)
        value: str | None = await self.call("state", fields, idempotent=True)
        return value

    async def signal(
        self, id: str, name: str, payload: str, signal_id: str, workflow: str | None = None
    ) -> None:
        if (meant := await self.send_signal(id, name, payload, signal_id, workflow)) is not None:
            logger.warning("execution '%s' was sent signal '%s'; the service declares '%s'", id, name, meant)

    async def send_signal(
        self, id: str, name: str, payload: str, signal_id: str, workflow: str | None = None
    ) -> str | None:
        """Deliver a signal; return the name that the service declares if this one is almost it, and may be misspelt."""
        told = {"name": name, "payload": json.loads(payload), "signal_id": signal_id}
        # Its id makes a signal idempotent.
        meant: str | None = await self.call("signal", told | _execution(id, workflow), idempotent=True)
        return meant

    async def cancel(self, id: str, reason: str, workflow: str | None = None) -> None:
        await self.call("cancel", {"reason": reason} | _execution(id, workflow), idempotent=True)

    async def terminate(self, id: str, reason: str, workflow: str | None = None) -> None:
        await self.call("terminate", {"reason": reason} | _execution(id, workflow), idempotent=True)


def _execution(id: str, workflow: str | None) -> dict[str, Any]:
    """Return the fields that say which execution is meant, and of which workflow it has to be."""
    return {"id": id} if workflow is None else {"id": id, "workflow": workflow}


def _is_away(error: NetworkError | ProblemError) -> bool:
    """Tell whether nobody answered, or only what stands in front of the service."""
    return isinstance(error, NetworkError) or error.status in (502, 503, 504)


def info_of(members: Mapping[str, Any]) -> ExecutionInfo:
    """Return an execution from its JSON; members that this version does not know are left out."""
    known = ExecutionInfo.__dataclass_fields__
    return ExecutionInfo(**{name: value for name, value in members.items() if name in known})
