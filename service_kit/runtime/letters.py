"""What operators can do about events that nobody could handle."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from service_kit.engine.failure import Failure
from service_kit.engine.wire import decode_failure
from service_kit.runtime.clock import Clock
from service_kit.runtime.ports import DeadLetters
from service_kit.runtime.records import DeadLetter, LetterPlace


@dataclass(frozen=True, slots=True)
class RuntimeLetters:
    """Implements `contract.gateway.Letters` over a store."""

    letters: DeadLetters
    clock: Clock
    published: Callable[[], None]
    """Told that deliveries may be available."""

    async def list(
        self, subscription: str | None, limit: int, after: str | None
    ) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        page = await self.letters.list(subscription, limit, None if after is None else _place(after))
        cursor = None if page.after is None else _cursor(page.after)
        return [_shown(letter) for letter in page.letters], cursor

    async def read(self, subscription: str, event_id: str) -> Mapping[str, Any] | None:
        letter = await self.letters.read(subscription, event_id)
        return None if letter is None else _shown(letter)

    async def redrive(self, subscription: str, event_id: str | None) -> int:
        count = await self.letters.redrive(subscription, event_id, self.clock.now_s())
        self.published()
        return count

    async def discard(self, subscription: str, event_ids: Sequence[str]) -> tuple[int, Sequence[str]]:
        known = await self.letters.discard(subscription, event_ids, self.clock.now_s())
        return sum(known.values()), [each for each in dict.fromkeys(event_ids) if each not in known]


def _cursor(place: LetterPlace) -> str:
    return f"{place.died_at_s!r}/{place.subscription}/{place.event_id}"


def _place(cursor: str) -> LetterPlace:
    died_at, _, rest = cursor.partition("/")
    subscription, _, event_id = rest.partition("/")
    return LetterPlace(float(died_at), subscription, event_id)


def _shown(letter: DeadLetter) -> Mapping[str, Any]:
    failure = decode_failure(letter.failure)
    return {
        "event_id": letter.event.id,
        "event": letter.event.name,
        "payload": json.loads(letter.event.payload),
        "envelope": asdict(letter.event),
        "subscription": letter.subscription,
        "attempts": letter.attempts,
        "error": failure.type,
        "message": failure.message,
        "traceback": _with_causes(failure),
        "died_at_s": letter.died_at_s,
    }


def _with_causes(failure: Failure) -> str:
    """Return the traceback of an error, with those of its causes before it."""
    if failure.cause is None:
        return failure.traceback
    return f"{_with_causes(failure.cause)}\nwhich led to:\n\n{failure.traceback}"
