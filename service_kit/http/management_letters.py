"""The management API's part about dead letters: events whose delivery to a subscription failed for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, Field

from service_kit.contract.command import AnyCommand, command
from service_kit.contract.gather import gather
from service_kit.contract.service import ServiceContract
from service_kit.errors import ServiceError
from service_kit.http.management import current_management

SubscriptionName: TypeAlias = Annotated[str, Field(min_length=1, max_length=255)]
"""Of whatever characters, it fits into a key of DynamoDB, which takes 1,024 bytes."""
EventId: TypeAlias = Annotated[str, Field(min_length=1, max_length=2048)]
"""Long: those of a workflow's events begin with its execution's id, and that of a child with its parent's."""


class UnknownSubscription(ServiceError, status=404):
    """The service has no subscription of this name."""

    subscription: str
    known: list[str]


class UnknownDeadLetter(ServiceError, status=404):
    """This event is no dead letter of this subscription."""

    subscription: str
    event_id: str


class LetterPage(BaseModel):
    """One page of a list."""

    letters: Sequence[dict[str, Any]]
    after: str | None


class Discarded(BaseModel):
    """What became of dead letters that were to be discarded."""

    count: int
    unknown: Sequence[str]


@command(method="GET", path="/_system/dead-letters")
async def list_dead_letters(
    subscription: SubscriptionName | None = None,
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
    after: Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,24})?/[^/]+/.")] | None = None,
) -> LetterPage:
    """List events whose delivery failed for good, the oldest first."""
    found, cursor = await current_management().letters.list(subscription, limit, after)
    return LetterPage(letters=[dict(letter) for letter in found], after=cursor)


@command(method="GET", path="/_system/dead-letters/{subscription}/{event_id}", errors=[UnknownDeadLetter])
async def dead_letter(subscription: SubscriptionName, event_id: EventId) -> dict[str, Any]:
    """Tell what is known of a dead letter: the event, the attempts, and what the last one raised."""
    found = await current_management().letters.read(subscription, event_id)
    if found is None:
        raise UnknownDeadLetter(subscription=subscription, event_id=event_id)
    return dict(found)


def letter_commands_of(contract: ServiceContract) -> list[AnyCommand]:
    """Return the commands about dead letters; some know who subscribes."""

    @command(path="/_system/dead-letters/redrive", errors=[UnknownSubscription])
    async def redrive(subscription: SubscriptionName, event_id: EventId | None = None) -> int:
        """Deliver dead letters of a subscription again; tell how many."""
        known = gather(contract).subscriptions
        if subscription not in known:
            raise UnknownSubscription(subscription=subscription, known=sorted(known))
        return await current_management().letters.redrive(subscription, event_id)

    @command(path="/_system/dead-letters/discard", errors=[UnknownSubscription])
    async def discard(
        subscription: SubscriptionName,
        event_ids: Annotated[list[EventId], Field(min_length=1, max_length=1000)],
    ) -> Discarded:
        """Give dead letters up, those of a subscription that the service had once, too; tell how many there were.

        `unknown` are events that the subscription is not known to have had. What was discarded, delivered again or
        handled within the last day is known, and not touched.
        """
        count, unknown = await current_management().letters.discard(subscription, event_ids)
        known = gather(contract).subscriptions
        if subscription not in known and len(unknown) == len(set(event_ids)):
            raise UnknownSubscription(subscription=subscription, known=sorted(known))
        return Discarded(count=count, unknown=unknown)

    return [list_dead_letters, dead_letter, redrive, discard]
