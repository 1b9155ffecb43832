"""Dead letters as a client is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PAGE_MOST = 1_000
"""How many the service gives, or takes, in one call."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event whose delivery to a subscription failed for good."""

    event_id: str
    event: str
    subscription: str
    attempts: int
    died_at_s: float
    payload: Any
    error: str
    """The class of what the last attempt raised, as `module:QualName`."""
    message: str
    traceback: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """One page of a list, without what cannot be read; `after` leads to the next one, None: there is none."""

    letters: Sequence[DeadLetter]
    after: str | None


@dataclass(frozen=True, slots=True)
class Discarded:
    """What became of dead letters that were to be discarded."""

    count: int
    """How many were discarded now."""
    unknown: Sequence[str]
    """Events that the subscription is not known to have had; what is gone already is known for a day at least."""


def letter_of(members: Mapping[str, Any]) -> DeadLetter:
    """Return a dead letter from its JSON; members that this version does not know are left out."""
    known = DeadLetter.__dataclass_fields__
    return DeadLetter(**{name: value for name, value in members.items() if name in known})
