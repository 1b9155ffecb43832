"""What commands, tasks and handlers on AWS ask of their service: what they are told is stored by then."""

from __future__ import annotations

from collections.abc import Sequence

from service_kit.hosts.aws.host import AwsHost
from service_kit.hosts.aws.outbox import Outbox
from service_kit.runtime.dispatcher import Dispatcher
from service_kit.runtime.gateway import RuntimeGateway
from service_kit.runtime.incoming import Incoming
from service_kit.runtime.records import Claim, Effect

LOOK_S, LOOK_MOST_S = 0.05, 1.0
"""How long somebody who waits for an end rests between two looks, at first and in the end."""


class AwsGateway(RuntimeGateway):
    """The gateway of one function. Streams and queues carry on what it has stored."""

    async def outcome(self, id: str, wait_s: float | None, workflow: str | None = None) -> str | None:
        """Return the outcome of an execution, None if there is none in time: the table is asked again and again."""
        outcome = (await self._record(id, workflow)).outcome
        began_s, pause_s = self.clock.now_s(), LOOK_S
        while outcome is None:
            left_s = None if wait_s is None else began_s + wait_s - self.clock.now_s()
            if left_s is not None and left_s <= 0:
                return None
            await self.clock.sleep(pause_s if left_s is None else min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, LOOK_MOST_S)
            outcome = (await self.index.ended([id])).get(id)
        return outcome


class _Nowhere:
    """Places no task: a function that only starts executions takes no turns."""

    def claim_for(self, name: str) -> Claim | None:
        return None

    def withdraw(self, effects: Sequence[Effect]) -> None:
        """Nothing was promised."""


def gateway_of(host: AwsHost) -> AwsGateway:
    """Return the gateway of a function."""
    store = host.store
    return AwsGateway(
        store.executions,
        store.index,
        Outbox(store.table, store.bodies),
        Dispatcher(host.declarations, _Nowhere()),
        host.clock,
        host.new_id,
        store.executions.create,
        lambda _: False,
        told_by_the_stream,
        nothing,
    )


def told_by_the_stream(_: str, __: Incoming) -> None:
    """Do nothing: what has arrived is in the table, whose stream wakes the execution."""


def nothing() -> None:
    """Do nothing: as above."""
