"""The subscription worker: claims deliveries of events, runs their handlers, retries, and buries what cannot be."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from service_kit.contract.event import Subscription
from service_kit.contract.gather import Declarations
from service_kit.engine.failure import describe_error
from service_kit.engine.retry import error_names
from service_kit.engine.wire import encode_failure
from service_kit.errors import TimedOut
from service_kit.runtime.clock import Clock
from service_kit.runtime.ports import Deliveries
from service_kit.runtime.records import Claim, ClaimedDelivery
from service_kit.runtime.task_worker import WorkerOptions

logger = logging.getLogger("service_kit.runtime")


@dataclass(slots=True)
class SubscriptionWorker:
    """Runs handlers side by side. Each delivery is finished, retried or buried: none is only logged."""

    deliveries: Deliveries
    declarations: Declarations
    clock: Clock
    random: Callable[[], float]
    options: WorkerOptions
    context: Callable[[], contextvars.Context]
    """Makes the context of a handler."""
    _running: dict[asyncio.Task[None], ClaimedDelivery] = field(
        default_factory=dict["asyncio.Task[None]", ClaimedDelivery]
    )

    @property
    def busy(self) -> bool:
        """Whether any handler is running."""
        return bool(self._running)

    async def claim_some(self) -> int:
        """Claim what is available and there is room for; return how many."""
        names = [n for n, declared in self.declarations.subscriptions.items() if not self._full(declared)]
        room = self.options.capacity - len(self._running)
        if not names or room <= 0:
            return 0
        claim = Claim(self.options.owner, self.clock.now_s() + self.options.lease_s)
        claimed = await self.deliveries.claim(names, claim, self.clock.now_s(), room)
        for one in claimed:
            name = f"subscription {one.subscription}"
            runner = asyncio.create_task(self._run(one), name=name, context=self.context())
            self._running[runner] = one
            runner.add_done_callback(lambda done: self._running.pop(done, None))
        return len(claimed)

    async def finished(self) -> None:
        """Wait until no handler is running."""
        while self._running:
            await asyncio.wait(list(self._running))

    async def close(self) -> None:
        """Cancel what is running; its claims run out, and others try again."""
        for runner in list(self._running):
            runner.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _full(self, declared: Subscription[Any]) -> bool:
        limit = declared.definition.get("concurrency")
        return (
            limit is not None
            and sum(d.subscription == declared.name for d in self._running.values()) >= limit
        )

    async def _run(self, claimed: ClaimedDelivery) -> None:
        declared, event = self.declarations.subscriptions[claimed.subscription], claimed.event
        # A handler has as long as its claim lasts: past it, another one may have begun.
        limit_s = min(declared.definition.get("timeout_s", self.options.lease_s), self.options.lease_s)
        scope = asyncio.timeout(limit_s)
        try:
            async with scope:
                await declared.deliver(event.name, event.payload)
        except TimeoutError as error:
            late = TimedOut(f"subscription '{declared.name}' did not end within {limit_s:g} s")
            await self._failed(claimed, declared, late if scope.expired() else error)
        except Exception as error:  # noqa: BLE001 - it is retried, or buried with its traceback
            await self._failed(claimed, declared, error)
        else:
            await self.deliveries.done(event.id, claimed.subscription, claimed.claim)

    async def _failed(self, claimed: ClaimedDelivery, declared: Subscription[Any], error: Exception) -> None:
        event, now_s = claimed.event, self.clock.now_s()
        delay_s = declared.retry.next_delay_s(claimed.attempt, error_names(error), self.random())
        if delay_s is not None:
            await self.deliveries.retry(event.id, claimed.subscription, claimed.claim, now_s + delay_s)
            return
        logger.error(
            "event '%s' (%s) is a dead letter of '%s'", event.name, event.id, declared.name, exc_info=error
        )
        failure = encode_failure(describe_error(error, self.declarations.failures))
        await self.deliveries.bury(event.id, claimed.subscription, claimed.claim, failure, now_s)
