"""The function behind the table's stream: it takes turns of executions, and dispatches what they ask for."""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service_kit.errors import HistoryUnreadable
from service_kit.hosts.aws.doubt import Doubt, UsedKey
from service_kit.hosts.aws.invocation import Function, Invocation, function_from_environment
from service_kit.hosts.aws.mover import Mover
from service_kit.hosts.aws.records import Event, StreamRecord, stream_records
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.incoming import Incoming
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.items import STARTED
from service_kit.stores.dynamodb.keys import ARRIVAL, META, TASK
from service_kit.stores.dynamodb.outbox import decode_arrival

if TYPE_CHECKING:
    handler: OrchestratorFunction

logger: logging.Logger = logging.getLogger("service_kit.lambda")

FAILURES_MOST = 5
"""Failures of one execution in a row, in one process, after which it is parked: others of its shard wait for it."""

HOPELESS = (LookupError, ValueError, TypeError, HistoryUnreadable)
"""Why a record cannot be read, ever; what else goes wrong, of the bucket or a codec, may be over in a moment."""

HANDLED_MOST = 20_000
"""Records that are remembered: two of the largest batches."""


@dataclass(slots=True)
class _Woken:
    """What a batch says of one execution."""

    records: list[str] = field(default_factory=list[str])
    incoming: list[Incoming] = field(default_factory=list[Incoming])
    keys: list[UsedKey] = field(default_factory=list[UsedKey])
    begin_at_s: float | None = None
    unreadable: Exception | None = None


class OrchestratorFunction(Function):
    """Moves the executions of a batch side by side, each in the order of its records.

    Lambda gives the records of one execution to one invocation at a time.
    """

    _mover: Mover | None = None

    def prepare(self) -> None:
        super().prepare()
        _ = self.host.queues  # it is kept

    async def handle(self, event: Event, invocation: Invocation) -> list[str]:
        if self._mover is None:
            self._mover = Mover(self.host, await self.host.tokens(), await self.user_context())
            self._failed: Counter[str] = Counter()
            self._handled: OrderedDict[str, None] = OrderedDict()
        self._mover.begin_invocation(invocation.owner, invocation.remaining_s())
        woken: dict[str, _Woken] = {}
        for record in stream_records(event):
            # After a partial failure the whole rest of the batch comes again.
            if record.id not in self._handled and (execution := _execution(record)) is not None:
                await self._note(record, woken.setdefault(execution, _Woken()))
        failed = await invocation.finish(
            {place: self._move(place, one, self._mover) for place, one in woken.items()}
        )
        for place in woken.keys() - failed.keys():
            del self._failed[place]
            self._handled.update(dict.fromkeys(woken[place].records))
        while len(self._handled) > HANDLED_MOST:
            self._handled.popitem(last=False)
        again: list[str] = []
        for place, error in failed.items():
            self._failed[place] += not isinstance(error, TimeoutError)
            if self._failed[place] >= FAILURES_MOST:
                await self._mover.park(place, f"{type(error).__name__}: {error}")
                del self._failed[place]
            else:
                again += woken[place].records
        return again

    async def _move(self, id: str, woken: _Woken, mover: Mover) -> None:
        if woken.unreadable is not None:
            if not isinstance(woken.unreadable, HOPELESS):
                raise woken.unreadable
            await mover.park(id, f"a record of the stream cannot be read: {woken.unreadable}")
            return
        if woken.begin_at_s is not None and woken.begin_at_s > self.host.clock.now_s():
            await mover.set_timer(id, woken.begin_at_s)
        # By another clock its time may have come: then it has moved already, and perhaps nobody knows to where.
        await mover.move(id, woken.incoming, Doubt(frozenset(woken.keys)))

    async def _note(self, record: StreamRecord, woken: _Woken) -> None:
        image: Any = record.image
        woken.records.append(record.id)
        try:
            if record.sk == META:
                woken.keys.append((None, STARTED))
                # A fork has a turn already, with its effects: it may be due later, but has begun.
                woken.begin_at_s = None if image["turn"] else image.get("wake_at")
            else:
                incoming = await _incoming(image, self.host.store.bodies)
                woken.incoming.append(incoming)
                woken.keys.append((incoming.run, incoming.arrival.key))
        except Exception as error:  # noqa: BLE001 - told by whoever moves its execution, and to nobody else's harm
            woken.unreadable = error


def _execution(record: StreamRecord) -> str | None:
    """Return the execution that a record wakes; None for one that wakes nobody."""
    image = record.image
    if image is None or record.kind == "REMOVE" or not record.pk.startswith("x#"):
        return None
    wakes = (
        (record.sk == META and record.kind == "INSERT")
        or (record.sk.startswith(ARRIVAL) and "body" in image)
        or (record.sk.startswith(TASK) and "answer" in image)
    )
    return record.pk.removeprefix("x#") if wakes else None


async def _incoming(image: Any, bodies: Bodies) -> Incoming:
    """Return what has arrived, so that a warm execution need not read it."""
    answered = "answer" in image
    arrival = stored(decode_arrival(await bodies.unpack(image["answer" if answered else "body"])))
    run = int(image["sk"].removeprefix(TASK).split("#")[0]) if answered else image.get("run")
    return Incoming(arrival, run)


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()["handler"] = made = function_from_environment(OrchestratorFunction)
    return made
