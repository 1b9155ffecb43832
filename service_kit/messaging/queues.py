"""SQS: one queue for each task and each subscription, and one for timers."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service_kit.messaging.batches import OVERHEAD_BYTES, Entry, send_all

DELAY_MOST_S = 900
"""SQS delays no message for longer; who receives one before its time sends it on."""
NAME_MOST = 80
_REFUSED = str.maketrans({"\ufffe": "\\ufffe", "\uffff": "\\uffff"})
"""What SQS takes in no message, though JSON may have it as it is: spelt as JSON can, too."""


def queue_name(prefix: str, name: str, kind: str = "") -> str:
    """Return the name of the queue of a task, or with `kind` 'on-' of a subscription: what SQS takes for one.

    A name that SQS does not take as it is gets a digest, so that two of them stay two.
    """
    wanted = f"{prefix}{kind}{name}"
    fit = re.sub(r"[^A-Za-z0-9_-]", "-", wanted)
    if fit == wanted and len(fit) <= NAME_MOST:
        return fit
    return f"{fit[: NAME_MOST - 9]}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"


def sendable(text: str) -> str:
    """Return JSON, or a packed text, with no character that SQS refuses."""
    return text if text.isascii() else text.translate(_REFUSED)


SUBSCRIPTION_KIND = "on-"
"""What the queues of subscriptions have before the name: no task is called so."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message, whose body is JSON, or packed; `delay_s` is cut to what SQS can do."""

    id: str
    body: str
    delay_s: float = 0.0


class Queues:
    """Sends messages to queues."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._urls: dict[str, str] = {}

    async def url(self, name: str) -> str:
        """Return the URL of a queue; asked for once."""
        if name not in self._urls:
            answer = await asyncio.to_thread(self._client.get_queue_url, QueueName=name)
            self._urls[name] = answer["QueueUrl"]
        return self._urls[name]

    def arn(self, url: str) -> str:
        """Return the ARN of a queue, blocking."""
        answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        found: str = answer["Attributes"]["QueueArn"]
        return found

    async def send(self, url: str, messages: Sequence[Message]) -> None:
        """Send messages; raise NotAccepted for what SQS does not take however often it is sent."""
        requests = [_request(message) for message in messages]
        entries = [
            Entry(message.id, request, len(request["MessageBody"].encode()) + OVERHEAD_BYTES)
            for message, request in zip(messages, requests, strict=True)
        ]

        def send(batch: Sequence[Entry]) -> Sequence[int]:
            numbered = [{"Id": str(number), **entry.request} for number, entry in enumerate(batch)]
            answer = self._client.send_message_batch(QueueUrl=url, Entries=numbered)
            return [int(failure["Id"]) for failure in answer.get("Failed", ())]

        await send_all(url, send, entries)


def _request(message: Message) -> dict[str, Any]:
    delay_s = min(max(math.ceil(message.delay_s), 0), DELAY_MOST_S)
    return {"MessageBody": sendable(message.body), "DelaySeconds": delay_s}
