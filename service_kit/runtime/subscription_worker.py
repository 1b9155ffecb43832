"""The subscription worker: claims deliveries of events, runs their handlers, retries, and buries what cannot be."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from service_kit.contract.event import Subscription
from service_kit.contract.gather import Declarations
from service_kit.engine.failure import describe_error
from service_kit.engine.retry import error_names
from service_kit.engine.wire import encode_failure
from service_kit.errors import TimedOut
from service_kit.runtime.clock import Clock, Deadline
from service_kit.runtime.closing import is_closing
from service_kit.runtime.ports import Deliveries, DeliverySchedule
from service_kit.runtime.records import Claim, ClaimedDelivery
from service_kit.runtime.task_worker import WorkerOptions

logger: logging.Logger = logging.getLogger("service_kit.runtime")

MARGIN_S = 5.0
"""How much longer than its handler a claim lasts, so that there is time to store what became of it."""


@dataclass(slots=True)
class _Handling:
    """A delivery that is being handled, under its latest claim."""

    claimed: ClaimedDelivery


@dataclass(slots=True)
class SubscriptionWorker:
    """Runs handlers side by side. Each delivery is finished, retried or buried: none is only logged.

    A claim lasts as long as its handler may take (`timeout_s`, the lease otherwise) and is never extended.
    """

    deliveries: Deliveries
    schedule: DeliverySchedule
    declarations: Declarations
    clock: Clock
    random: Callable[[], float]
    hint: Callable[[], None]
    """Called when it is worth looking for deliveries again."""
    options: WorkerOptions
    context: Callable[[], contextvars.Context]
    """Makes the context of a handler."""
    _running: dict[asyncio.Task[None], _Handling] = field(
        default_factory=dict["asyncio.Task[None]", _Handling]
    )
    _handled: dict[tuple[str, str], _Handling] = field(default_factory=dict[tuple[str, str], _Handling])
    """The same by event and subscription."""
    _counts: Counter[str] = field(default_factory=Counter[str])

    @property
    def busy(self) -> bool:
        """Whether any handler is running."""
        return bool(self._running)

    def handled_here(self) -> ClaimedDelivery | None:
        """Return the delivery that the present asyncio.Task handles, for one that `claim_some` has claimed."""
        here = asyncio.current_task()
        handling = None if here is None else self._running.get(here)
        return None if handling is None else handling.claimed

    async def claim_some(self) -> float | None:
        """Claim what is available and there is room for; return when to look again, None if a hint will tell."""
        looks: list[float] = []
        for names, limit_s, most in self._groups():
            room = min(self.options.capacity - len(self._running), most)
            if room > 0:
                looks.append(await self._claim(names, limit_s, room))
        return min(looks, default=None)

    async def run(self, claimed: ClaimedDelivery) -> None:
        """Run the handler of a delivery that was claimed elsewhere, and store what became of it."""
        declared = self.declarations.subscriptions[claimed.subscription]
        await self._run(_Handling(claimed), declared.definition.get("timeout_s", self.options.lease_s))

    async def finished(self) -> None:
        """Wait until no handler is running."""
        while self._running:
            await asyncio.wait(list(self._running))

    async def close(self) -> None:
        """Cancel what is running; its claims run out, and others try again."""
        for runner in list(self._running):
            runner.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _groups(self) -> list[tuple[list[str], float, int]]:
        """Return names that can be claimed together: for equally long, and with no limit of their own."""
        together: dict[float, list[str]] = {}
        alone: list[tuple[list[str], float, int]] = []
        for name, declared in self.declarations.subscriptions.items():
            limit_s = declared.definition.get("timeout_s", self.options.lease_s)
            concurrency = declared.definition.get("concurrency")
            if concurrency is None:
                together.setdefault(limit_s, []).append(name)
            else:
                alone.append(([name], limit_s, concurrency - self._counts[name]))
        return [*((names, limit_s, self.options.capacity) for limit_s, names in together.items()), *alone]

    async def _claim(self, names: Sequence[str], limit_s: float, most: int) -> float:
        now_s = self.clock.now_s()
        next_s = await self.schedule.next_delivery_s(names)
        if next_s is None:
            return float("inf")
        if next_s > now_s:
            return next_s
        claim = Claim(self.options.owner, now_s + limit_s + MARGIN_S)
        for one in await self.deliveries.claim(names, claim, now_s, most):
            self._accept(one, limit_s)
        return now_s

    def _accept(self, claimed: ClaimedDelivery, limit_s: float) -> None:
        place = claimed.event.id, claimed.subscription
        if (handling := self._handled.get(place)) is not None:
            # The process was away, or its clock has jumped: what seemed to be left is being handled here.
            handling.claimed = claimed
            return
        handling = self._handled[place] = _Handling(claimed)
        name = f"subscription {claimed.subscription}"
        work = self._handle(place, handling, limit_s)
        runner = asyncio.create_task(work, name=name, context=self.context())
        self._running[runner] = handling
        self._counts[claimed.subscription] += 1
        runner.add_done_callback(self._ended)

    def _ended(self, runner: asyncio.Task[None]) -> None:
        claimed = self._running.pop(runner).claimed
        self._counts[claimed.subscription] -= 1
        self.hint()
        if not runner.cancelled() and (error := runner.exception()) is not None:
            # The store did not take what was to be said. Nothing is lost: the claim runs out, and is counted.
            logger.error(
                "event '%s' is left to be claimed again by '%s'",
                claimed.event.id,
                claimed.subscription,
                exc_info=error,
            )

    async def _handle(self, place: tuple[str, str], handling: _Handling, limit_s: float) -> None:
        try:
            await self._run(handling, limit_s)
        finally:
            # At once, not in a callback: what is to be tried again at once may be claimed before that.
            del self._handled[place]

    async def _run(self, handling: _Handling, limit_s: float) -> None:
        claimed = handling.claimed
        declared, event = self.declarations.subscriptions[claimed.subscription], claimed.event
        if claimed.lost and (error := self._after_loss(claimed, declared)) is not None:
            await self._bury(handling, error)
            return
        deadline = Deadline(self.clock, limit_s)
        try:
            async with deadline:
                await declared.deliver(event.name, event.payload)
        except TimeoutError as error:
            late = TimedOut(f"subscription '{declared.name}' did not end within {limit_s:g} s")
            await self._failed(handling, declared, late if deadline.expired else error)
        except asyncio.CancelledError:
            own = asyncio.current_task()
            if own is not None and own.cancelling():
                raise
            message = f"subscription '{declared.name}' raised CancelledError, although nobody cancelled it"
            await self._failed(handling, declared, RuntimeError(message))
        except BaseException as error:  # it is retried, or buried with its traceback
            if is_closing(error):
                raise
            await self._failed(handling, declared, error)
        else:
            await _say(handling, lambda claim: self.deliveries.done(event.id, declared.name, claim))

    def _after_loss(self, claimed: ClaimedDelivery, declared: Subscription[Any]) -> Exception | None:
        """Count an attempt whose process died as a failed one; None: there is another one, which begins now."""
        lost = TimedOut(f"an attempt of subscription '{declared.name}' was lost: its process died or hung")
        delay_s = declared.retry.next_delay_s(claimed.attempt - 1, error_names(lost), self.random())
        return lost if delay_s is None else None

    async def _failed(self, handling: _Handling, declared: Subscription[Any], error: BaseException) -> None:
        event, attempt = handling.claimed.event, handling.claimed.attempt
        delay_s = declared.retry.next_delay_s(attempt, error_names(error), self.random())
        if delay_s is None:
            await self._bury(handling, error)
            return
        at_s = self.clock.now_s() + delay_s
        await _say(handling, lambda claim: self.deliveries.retry(event.id, declared.name, claim, at_s))

    async def _bury(self, handling: _Handling, error: BaseException) -> None:
        event, name = handling.claimed.event, handling.claimed.subscription
        logger.error("event '%s' (%s) is a dead letter of '%s'", event.name, event.id, name, exc_info=error)
        failure = encode_failure(describe_error(error, self.declarations.failures))
        at_s = self.clock.now_s()
        await _say(handling, lambda claim: self.deliveries.bury(event.id, name, claim, failure, at_s))


async def _say(handling: _Handling, store: Callable[[Claim], Awaitable[bool]]) -> None:
    """Store what became of a delivery, under the claim that is its latest by then."""
    claim = None
    while claim is not handling.claimed.claim:
        claim = handling.claimed.claim
        if await store(claim):
            return
