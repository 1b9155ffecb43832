"""What brings records of a stream and messages of a queue to a function, and with all that AWS allows to go wrong.

Records: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html. Those of one key come in
their order, in one batch at a time; after a partial answer everything comes again from the first one that failed; after
an error the batch is halved; whatever was brought may be brought again. Messages that were not handled come again after
their visibility timeout; any may come twice.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

BATCH_MOST = 100
REST_S = 0.03
BACKOFF_S = 0.1
FAILURES_MOST = 300
"""In a row for one lane: more than any fault explains."""
REMEMBERED = 5

Record: TypeAlias = Mapping[str, Any]


@dataclass(slots=True)
class Disorder:
    """What AWS may do beyond bringing each thing once."""

    repeated: float = 0.0
    """The chance that after a batch it comes again, or one of those before it."""
    mixed: float = 0.0
    """The chance that the records of a batch come in another order, but for those of one key."""
    happened: Counter[str] = field(default_factory=Counter[str])


@dataclass(slots=True)
class Function:
    """A deployed function, called directly."""

    client: Any
    name: str
    at_once: threading.Semaphore
    calls: Counter[str]

    def call(self, records: Sequence[Record]) -> set[str] | None:
        """Return what is to come again; None if the function did not answer."""
        with self.at_once:
            self.calls[self.name] += 1
            answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps({"Records": records}))
        said = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            return None
        return {each["itemIdentifier"] for each in said["batchItemFailures"]}


@dataclass(slots=True)
class StreamLane:
    """One batch of records after the other."""

    function: Function
    over: threading.Event
    disorder: Disorder
    dice: random.Random
    pending: deque[Record] = field(default_factory=deque[Record])
    before: deque[Sequence[Record]] = field(
        default_factory=lambda: deque[Sequence[Record]](maxlen=REMEMBERED)
    )

    def put(self, record: Record) -> None:
        self.pending.append(record)

    def run(self) -> None:
        while not self.over.is_set():
            if self.pending:
                batch = [self.pending.popleft() for _ in range(min(len(self.pending), BATCH_MOST))]
                self._bring(self._ordered(batch))
            else:
                time.sleep(REST_S)

    def _bring(self, batch: Sequence[Record]) -> None:
        """Bring a batch until its function has handled all of it."""
        parts, failures = [batch], 0
        while parts and not self.over.is_set():
            part = parts.pop()
            failed = self._first_failed(part)
            if failed is None:
                half = len(part) // 2
                parts += [part[half:], part[:half]] if half else [part]
            elif failed < len(part):
                parts.append(part[failed:])
            else:
                failures = 0
                self.before.append(part)
                if self.dice.random() < self.disorder.repeated:
                    self.disorder.happened["repeated"] += 1
                    parts.append(self.dice.choice(self.before))
                continue
            failures += 1
            assert failures < FAILURES_MOST, f"{self.function.name} cannot handle {part}"
            self.over.wait(BACKOFF_S)

    def _first_failed(self, records: Sequence[Record]) -> int | None:
        failed = self.function.call(records)
        if failed is None:
            return None
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        return next((place for place, number in enumerate(numbers) if number in failed), len(records))

    def _ordered(self, batch: list[Record]) -> list[Record]:
        if self.dice.random() >= self.disorder.mixed:
            return batch
        self.disorder.happened["mixed"] += 1
        of_key: dict[str, deque[Record]] = defaultdict(deque)
        for record in batch:
            of_key[record["dynamodb"]["Keys"]["pk"]["S"]].append(record)
        keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in batch]
        self.dice.shuffle(keys)
        return [of_key[key].popleft() for key in keys]


@dataclass(slots=True)
class QueueLane:
    """One batch of messages after the other."""

    function: Function
    over: threading.Event
    disorder: Disorder
    dice: random.Random
    client: Any
    url: str
    batch: int

    def run(self) -> None:
        while not self.over.is_set():
            answer = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=self.batch,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["All"],
            )
            if messages := answer.get("Messages"):
                self._bring(messages)

    def _bring(self, messages: Sequence[Mapping[str, Any]]) -> None:
        records = [self._record(message) for message in messages]
        failed = self.function.call(records)
        if failed is not None and self.dice.random() < self.disorder.repeated:
            self.disorder.happened["message repeated"] += 1
            self.function.call(records)
        if failed is None:
            return
        for message in messages:
            if message["MessageId"] not in failed:
                # It may have taken too long: then another one has the message, and its receipt.
                with suppress(self.client.exceptions.ReceiptHandleIsInvalid):
                    self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def _record(self, message: Mapping[str, Any]) -> Record:
        return {
            "messageId": message["MessageId"],
            "body": message["Body"],
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{self.url.rsplit('/', 1)[1]}",
            "attributes": {"ApproximateReceiveCount": message["Attributes"]["ApproximateReceiveCount"]},
        }
