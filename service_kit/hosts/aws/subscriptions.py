"""The function behind the queue of a subscription, to which a rule of EventBridge sends events."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from service_kit.contract.filters import matches
from service_kit.hosts.aws.deliveries import QueuedDeliveries
from service_kit.hosts.aws.invocation import Function, Invocation, function_from_environment
from service_kit.hosts.aws.records import Event, QueueRecord, queue_records
from service_kit.messaging.bus import read_event
from service_kit.runtime.records import Claim, PublishedEvent
from service_kit.runtime.subscription_worker import MARGIN_S, SubscriptionWorker
from service_kit.runtime.task_worker import WorkerOptions

if TYPE_CHECKING:
    handler: SubscriptionsFunction


class SubscriptionsFunction(Function):
    """Runs handlers side by side, each delivery once: the table knows what an event that comes twice has led to."""

    _worker: SubscriptionWorker | None = None

    async def handle(self, event: Event, invocation: Invocation) -> list[str]:
        if self._worker is None:
            self._deliveries = QueuedDeliveries(self.host)
            self._context = await self.user_context()
            self._worker = SubscriptionWorker(
                self._deliveries,
                self._deliveries,
                self.host.declarations,
                self.host.clock,
                self.host.random,
                _nothing,
                WorkerOptions(invocation.owner),
                self._context.copy,
            )
            names = self.host.declarations.subscriptions
            self._names = {self.host.subscription_queue(name): name for name in names}
        work = {record.id: self._run(record, invocation, self._worker) for record in queue_records(event)}
        return list(await invocation.finish(work))

    async def _run(self, record: QueueRecord, invocation: Invocation, worker: SubscriptionWorker) -> None:
        if record.queue not in self._names:
            raise LookupError(
                f"queue '{record.queue}' is of no subscription of service '{self.host.declarations.service}';"
                f" deploy the template of this version"
            )
        name = self._names[record.queue]
        event = await read_event(json.loads(record.body), self.host.store.payloads)
        if not self._is_wanted(name, event):
            return
        now_s = self.host.clock.now_s()
        definition = self.host.declarations.subscriptions[name].definition
        limit_s = definition.get("timeout_s", worker.options.lease_s)
        until_s = min(now_s + limit_s + MARGIN_S, invocation.ends_at_s)
        claim = Claim(f"{invocation.owner}/{record.id}", until_s)
        claimed = await self._deliveries.begin(event, name, claim, now_s)
        if claimed is None:
            at_s = await self._deliveries.available_at_s(event.id, name)
            if at_s is not None:
                await self._deliveries.send(name, event.id, record.body, at_s)
            return
        self._deliveries.bodies[event.id, name] = record.body
        try:
            running = worker.run(claimed)
            await asyncio.create_task(running, name=f"subscription {name}", context=self._context.copy())
        finally:
            del self._deliveries.bodies[event.id, name]

    def _is_wanted(self, name: str, event: PublishedEvent) -> bool:
        """Tell whether a subscription wants an event: rules do not see into what goes by reference."""
        declared = self.host.declarations.subscriptions[name]
        pattern = declared.definition.get("match", {})
        return event.name in declared.events and matches(pattern, json.loads(event.payload))


def _nothing() -> None:
    """Do nothing: messages bring what is to be done."""


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()["handler"] = made = function_from_environment(SubscriptionsFunction)
    return made
