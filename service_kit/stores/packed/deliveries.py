"""Deliveries of events with packed payloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service_kit.runtime.ports import Deliveries
from service_kit.runtime.records import Claim, ClaimedDelivery, DeadLetter, Publish
from service_kit.stores.packed import values
from service_kit.stores.packed.packer import Packer, Packing
from service_kit.stores.packed.reading import readable


@dataclass(frozen=True, slots=True)
class PackedDeliveries:
    """The port `Deliveries` over another one."""

    inner: Deliveries
    packer: Packer

    async def publish(self, events: Sequence[Publish]) -> None:
        packing = Packing(self.packer)
        packed = [
            replace(one, event=values.event(one.event, packing.of(one.event.id, None))) for one in events
        ]
        await packing.keep()
        await self.inner.publish(packed)

    async def claim(
        self, subscriptions: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedDelivery]:
        found = await self.inner.claim(subscriptions, claim, now_s, limit)
        return await readable(
            found,
            lambda one: self.packer.unpacked(one, values.delivery),
            lambda one: f"event '{one.event.id}' for '{one.subscription}'",
        )

    async def done(self, event_id: str, subscription: str, claim: Claim) -> bool:
        return await self.inner.done(event_id, subscription, claim)

    async def retry(self, event_id: str, subscription: str, claim: Claim, at_s: float) -> bool:
        return await self.inner.retry(event_id, subscription, claim, at_s)

    async def bury(self, event_id: str, subscription: str, claim: Claim, failure: str, at_s: float) -> bool:
        packing = Packing(self.packer)
        packed = packing.of(event_id, None)(failure)
        await packing.keep()
        return await self.inner.bury(event_id, subscription, claim, packed, at_s)

    async def dead(self, subscription: str | None, limit: int) -> Sequence[DeadLetter]:
        found = await self.inner.dead(subscription, limit)
        return await readable(
            found,
            lambda one: self.packer.unpacked(one, values.letter),
            lambda one: f"dead letter '{one.event.id}' of '{one.subscription}'",
        )

    async def redrive(self, subscription: str, event_id: str | None, now_s: float) -> int:
        return await self.inner.redrive(subscription, event_id, now_s)
