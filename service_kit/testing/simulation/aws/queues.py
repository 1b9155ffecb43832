"""SQS: queues whose messages come at least once and in no order, and what hands them to functions.

As the developer guides of SQS and Lambda have it ("Amazon SQS visibility timeout", "Amazon SQS delay queues",
"Amazon SQS dead-letter queues", "Using Lambda with Amazon SQS"): a message that was received is hidden for a while,
and comes again if nobody deletes it meanwhile; one that has come too often moves to the queue of dead letters. Lambda
deletes what a function has handled, and leaves what it says has failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from service_kit.messaging.queues import DELAY_MOST_S
from service_kit.testing.simulation.aws.errors import AwsError, Unmodelled
from service_kit.testing.simulation.aws.stream import Invoke
from service_kit.testing.simulation.chances import Chances

LATENCY_S = 0.1
LATE_S = 20.0


@dataclass(slots=True, eq=False)
class Message:
    """One message of a queue."""

    id: str
    body: str
    visible_s: float
    received: int = 0


@dataclass(slots=True)
class Queue:
    """A queue, its dead letters, and the function behind it."""

    name: str
    chances: Chances
    start: Callable[[Any], None]
    later: Callable[[float, Callable[[], None]], object]
    trace: Callable[[str], None]
    invoke: Invoke
    visibility_s: float
    received_most: int = 10
    batch: int = 10
    messages: list[Message] = field(default_factory=list[Message])
    dead: list[Message] = field(default_factory=list[Message])
    _sent: int = 0

    @property
    def idle(self) -> bool:
        return not self.messages and not self.dead

    def send(self, body: str, delay_s: float = 0.0) -> str:
        """Take a message; return its id."""
        if not 0 <= delay_s <= DELAY_MOST_S:
            raise AwsError("InvalidParameterValue", f"Value {delay_s} for DelaySeconds is invalid")
        self._sent += 1
        self._put(Message(f"{self.name}-{self._sent}", body, 0.0), delay_s)
        return f"{self.name}-{self._sent}"

    def redrive(self) -> None:
        """Move the dead letters back, as an operator does who has mended what they died of."""
        moved, self.dead = self.dead, []
        for message in moved:
            self._put(Message(message.id, message.body, 0.0), 0.0)

    def _put(self, message: Message, delay_s: float) -> None:
        delay_s += LATENCY_S * self.chances.next_number("queue latency")
        if (drawn := self.chances.draw("queue")) is not None and drawn.fault == "late":
            delay_s += LATE_S * drawn.amount
        self.messages.append(message)
        self._show(message, delay_s)

    def _show(self, message: Message, after_s: float) -> None:
        message.visible_s = asyncio.get_running_loop().time() + after_s
        self.later(after_s, self._poll)

    def _poll(self) -> None:
        """Hand over what is visible, in any order."""
        batch = self._received()
        if batch:
            self.start(self._handle(batch))

    def _received(self) -> list[Message]:
        now_s, batch = asyncio.get_running_loop().time(), list[Message]()
        visible = [message for message in self.messages if message.visible_s <= now_s]
        while visible and len(batch) < self.batch:
            message = visible.pop(int(len(visible) * self.chances.next_number("order")))
            if message.received >= self.received_most:
                self.trace(f"{message.id} is a dead letter")
                self.messages.remove(message)
                self.dead.append(message)
                continue
            message.received += 1
            self._show(message, self.visibility_s)
            batch.append(message)
        return batch

    async def _handle(self, batch: Sequence[Message]) -> None:
        event = {"Records": [self._record(message) for message in batch]}
        try:
            failed = await self.invoke(event)
        except Exception as error:  # noqa: BLE001 - whatever a function raises brings its batch again
            self.trace(f"{self.name} failed: {type(error).__name__}")
            return
        for message in batch:
            if message.id in failed:
                continue
            drawn = self.chances.draw("queue")
            if drawn is not None and drawn.fault == "doubled":
                self._show(message, LATE_S * drawn.amount)  # the one copy that was not deleted
            elif message in self.messages:
                self.messages.remove(message)

    def _record(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": message.id,
            "body": message.body,
            "eventSourceARN": f"arn:aws:sqs:region:account:{self.name}",
            "attributes": {"ApproximateReceiveCount": str(message.received)},
        }


@dataclass(slots=True)
class SqsClient:
    """What boto3's client of SQS does: the calls that `messaging` makes, and no others."""

    queues: dict[str, Queue]
    fails: Callable[[str], bool]
    """Whether an entry of a batch is not taken."""

    def get_queue_url(self, *, QueueName: str) -> Any:
        if QueueName not in self.queues:
            raise AwsError("AWS.SimpleQueueService.NonExistentQueue", f"no queue is called {QueueName}")
        return {"QueueUrl": f"https://sqs/account/{QueueName}"}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str]) -> Any:
        if list(AttributeNames) != ["QueueArn"]:
            raise Unmodelled(f"attributes {AttributeNames} of a queue")
        return {"Attributes": {"QueueArn": f"arn:aws:sqs:region:account:{QueueUrl.rpartition('/')[2]}"}}

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, Any]]) -> Any:
        queue, failed, sent = self.queues[QueueUrl.rpartition("/")[2]], list[Any](), list[Any]()
        if not 0 < len(Entries) <= 10:
            raise AwsError("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        if len({entry["Id"] for entry in Entries}) < len(Entries):
            raise AwsError("AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
        for entry in Entries:
            if unknown := entry.keys() - {"Id", "MessageBody", "DelaySeconds"}:
                raise Unmodelled(f"a message with {', '.join(sorted(unknown))}")
            if self.fails("send_message_batch"):
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                message = queue.send(entry["MessageBody"], entry.get("DelaySeconds", 0))
                sent.append({"Id": entry["Id"], "MessageId": message})
        return {"Successful": sent, **({"Failed": failed} if failed else {})}
