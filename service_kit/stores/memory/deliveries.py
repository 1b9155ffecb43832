"""Deliveries of events in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from service_kit.runtime.records import (
    Claim,
    ClaimedDelivery,
    DeadLetter,
    LetterPage,
    LetterPlace,
    Publish,
    PublishedEvent,
    place_of,
)


@dataclass(slots=True)
class _Kept:
    event: PublishedEvent
    subscription: str
    available_at_s: float
    attempt: int = 1
    claim: Claim | None = None
    epoch: int = 0
    letter: DeadLetter | None = None
    finished_at_s: float | None = None


class MemoryDeliveries:
    """The ports `Deliveries`, `DeadLetters` and `DeliverySchedule`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}

    async def publish(self, events: Sequence[Publish]) -> None:
        for event in events:
            self.add(event)

    async def claim(
        self, subscriptions: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedDelivery]:
        available = [k for k in self._open(subscriptions) if _available_s(k) <= now_s]
        available.sort(key=_available_s)
        return [self._claim(kept, claim) for kept in available[:limit]]

    async def done(self, event_id: str, subscription: str, claim: Claim) -> bool:
        kept = self._held(event_id, subscription, claim)
        if kept is not None:
            kept.finished_at_s, kept.claim = claim.until_s, None
        return kept is not None

    async def retry(self, event_id: str, subscription: str, claim: Claim, at_s: float) -> bool:
        kept = self._held(event_id, subscription, claim)
        if kept is not None:
            kept.claim, kept.available_at_s = None, at_s
            kept.attempt += 1
        return kept is not None

    async def bury(self, event_id: str, subscription: str, claim: Claim, failure: str, at_s: float) -> bool:
        kept = self._held(event_id, subscription, claim)
        if kept is not None:
            kept.claim = None
            kept.letter = DeadLetter(kept.event, subscription, kept.attempt, failure, at_s)
        return kept is not None

    def has(self, event_id: str) -> bool:
        """Return whether anything is known of an event."""
        return any(event == event_id for event, _ in self._kept)

    async def list(self, subscription: str | None, limit: int, after: LetterPlace | None) -> LetterPage:
        letters = [
            k.letter for k in self._kept.values() if k.letter and subscription in (None, k.subscription)
        ]
        found = sorted(letters, key=place_of)
        if after is not None:
            found = [letter for letter in found if place_of(letter) > after]
        page = found[:limit]
        return LetterPage(page, place_of(page[-1]) if len(found) > len(page) else None)

    async def read(self, subscription: str, event_id: str) -> DeadLetter | None:
        kept = self._kept.get((event_id, subscription))
        return kept.letter if kept else None

    async def redrive(self, subscription: str, event_id: str | None, now_s: float) -> int:
        again = [
            k
            for k in self._kept.values()
            if k.letter and k.subscription == subscription and event_id in (None, k.event.id)
        ]
        for kept in again:
            kept.letter, kept.attempt, kept.available_at_s = None, 1, now_s
        return len(again)

    async def discard(self, subscription: str, event_ids: Sequence[str], now_s: float) -> Mapping[str, bool]:
        found = {
            each: kept for each in event_ids if (kept := self._kept.get((each, subscription))) is not None
        }
        dead = {each: kept for each, kept in found.items() if kept.letter is not None}
        for kept in dead.values():
            kept.letter, kept.finished_at_s = None, now_s
        return {each: each in dead for each in found}

    async def next_delivery_s(self, subscriptions: Sequence[str]) -> float | None:
        return min((_available_s(kept) for kept in self._open(subscriptions)), default=None)

    def add(self, publish: Publish) -> None:
        """Keep a delivery for each subscription, unless it is known."""
        event = publish.event
        for subscription in publish.subscriptions:
            self._kept.setdefault((event.id, subscription), _Kept(event, subscription, event.time_s))

    def forget(self, before_s: float, limit: int) -> int:
        """Forget finished deliveries."""
        old = [p for p, k in self._kept.items() if k.finished_at_s is not None and k.finished_at_s < before_s]
        for place in old[:limit]:
            del self._kept[place]
        return len(old[:limit])

    def _open(self, subscriptions: Sequence[str]) -> Sequence[_Kept]:
        wanted = set(subscriptions)
        return [
            k
            for k in self._kept.values()
            if k.subscription in wanted and k.finished_at_s is None and k.letter is None
        ]

    def _claim(self, kept: _Kept, claim: Claim) -> ClaimedDelivery:
        lost = kept.claim is not None
        kept.epoch += 1
        kept.attempt += lost
        kept.claim = replace(claim, epoch=kept.epoch)
        return ClaimedDelivery(kept.event, kept.subscription, kept.attempt, kept.claim, lost)

    def _held(self, event_id: str, subscription: str, claim: Claim) -> _Kept | None:
        kept = self._kept.get((event_id, subscription))
        if kept is None or kept.claim is None:
            return None
        return kept if (kept.claim.owner, kept.claim.epoch) == (claim.owner, claim.epoch) else None


def _available_s(kept: _Kept) -> float:
    return kept.available_at_s if kept.claim is None else kept.claim.until_s
