"""Deliveries of events where messages bring them: each attempt that is to be made later needs one."""

from __future__ import annotations

from service_kit.hosts.aws.host import AwsHost
from service_kit.messaging.bus import message_of
from service_kit.messaging.queues import Message
from service_kit.runtime.records import Claim
from service_kit.stores.dynamodb.deliveries import DynamoDeliveries
from service_kit.stores.dynamodb.letters import DynamoLetters


class QueuedDeliveries(DynamoDeliveries):
    """The port `Deliveries` over the queues of subscriptions."""

    def __init__(self, host: AwsHost) -> None:
        super().__init__(host.store.table, host.store.bodies)
        self._host = host
        self.bodies: dict[tuple[str, str], str] = {}
        """The messages that are being handled, by event and subscription."""

    async def retry(self, event_id: str, subscription: str, claim: Claim, at_s: float) -> bool:
        kept = await super().retry(event_id, subscription, claim, at_s)
        if kept:
            await self.send(subscription, event_id, self.bodies[event_id, subscription], at_s)
        return kept

    async def send(self, subscription: str, event_id: str, body: str, at_s: float) -> None:
        """Send an event to the queue of a subscription for a time."""
        url = await self._host.queues.url(self._host.subscription_queue(subscription))
        delay_s = at_s - self._host.clock.now_s()
        await self._host.queues.send(url, [Message(event_id, body, delay_s)])


class QueuedLetters(DynamoLetters):
    """The port `DeadLetters` over the queues of subscriptions."""

    def __init__(self, host: AwsHost) -> None:
        super().__init__(host.store.table, host.store.bodies)
        self._host = host

    async def redrive(self, subscription: str, event_id: str | None, now_s: float) -> int:
        again = await self.reopen(subscription, event_id, now_s)
        if again:
            url = await self._host.queues.url(self._host.subscription_queue(subscription))
            # What is not sent, the sweeper finds.
            bodies = [(event.id, await message_of(event, self._host.store.payloads)) for event in again]
            await self._host.queues.send(url, [Message(event_id, body) for event_id, body in bodies])
        return len(again)
