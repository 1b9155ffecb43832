"""Deliveries of events with packed payloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from service_kit.runtime.ports import DeadLetters, Deliveries
from service_kit.runtime.records import (
    Claim,
    ClaimedDelivery,
    DeadLetter,
    LetterPage,
    LetterPlace,
    Publish,
)
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


@dataclass(frozen=True, slots=True)
class PackedLetters:
    """The port `DeadLetters` over another one."""

    inner: DeadLetters
    packer: Packer

    async def list(self, subscription: str | None, limit: int, after: LetterPlace | None) -> LetterPage:
        page = await self.inner.list(subscription, limit, after)
        letters = await readable(
            page.letters,
            self._unpacked,
            lambda one: f"dead letter '{one.event.id}' of '{one.subscription}'",
        )
        return LetterPage(letters, page.after)

    async def read(self, subscription: str, event_id: str) -> DeadLetter | None:
        letter = await self.inner.read(subscription, event_id)
        return None if letter is None else await self._unpacked(letter)

    async def redrive(self, subscription: str, event_id: str | None, now_s: float) -> int:
        return await self.inner.redrive(subscription, event_id, now_s)

    async def discard(self, subscription: str, event_ids: Sequence[str], now_s: float) -> Mapping[str, bool]:
        return await self.inner.discard(subscription, event_ids, now_s)

    async def _unpacked(self, letter: DeadLetter) -> DeadLetter:
        return await self.packer.unpacked(letter, values.letter)
