"""Event source mappings of a stack: what changes in the table, and what is in its queues, comes to its functions.

They stand in for those of the emulator (ministack 1.5.33), which takes a partial answer of a stream's function for
success, and loses the records in it; which begins as many processes as there are batches; and which can neither repeat
nor mix. Table, stream, queues, bus, clock and functions are the emulator's.
"""

from __future__ import annotations

import base64
import json
import random
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

from tests.aws.lanes import REST_S, Disorder, Function, QueueLane, Record, StreamLane
from tests.aws.stacks import Stack

AT_ONCE = {"OrchestratorFunction": 2, "TasksFunction": 2}
"""How many processes of a function there are; of any other one."""


class Mappings:
    """Brings a stack's functions their work, as long as it is entered."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []
        self._functions: dict[str, Function] = {}
        self.disorder = Disorder()
        self.records: list[Record] = []
        """All changes of the table, in their order."""
        self.looks = 0
        """How often there was nothing more."""
        self.calls: Counter[str] = Counter()

    def __enter__(self) -> Self:
        turns = [self._stream_lane("OrchestratorFunction") for _ in range(AT_ONCE["OrchestratorFunction"])]
        relay = self._stream_lane("RelayFunction")
        self._begin(lambda: self._read(turns, relay))
        for lane in (*turns, relay):
            self._begin(lane.run)
        for queue in self._queue_lanes():
            self._begin(queue.run)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.check()

    def check(self) -> None:
        """Raise what has ended one of the threads, if anything has."""
        if self._failures:
            raise self._failures[0]

    def _function(self, output: str) -> Function:
        if output not in self._functions:
            at_once = threading.Semaphore(AT_ONCE.get(output, 1))
            name = self._stack.outputs[output]
            self._functions[output] = Function(self._stack.client("lambda"), name, at_once, self.calls)
        return self._functions[output]

    def _stream_lane(self, output: str) -> StreamLane:
        return StreamLane(self._function(output), self._over, self.disorder, random.Random())

    def _queue_lanes(self) -> Iterator[QueueLane]:
        for output, url in self._stack.outputs.items():
            if output == "TimersQueue":
                yield self._queue_lane("TimersFunction", url, 10)
            elif output.endswith("SubscriptionQueue"):
                yield self._queue_lane("SubscriptionsFunction", url, 10)
            elif output.endswith("TaskQueue"):
                for _ in range(AT_ONCE["TasksFunction"]):
                    yield self._queue_lane("TasksFunction", url, 1)

    def _queue_lane(self, output: str, url: str, batch: int) -> QueueLane:
        client, function = self._stack.client("sqs"), self._function(output)
        return QueueLane(function, self._over, self.disorder, random.Random(), client, url, batch)

    def _begin(self, work: Callable[[], None]) -> None:
        def watched() -> None:
            try:
                work()
            except BaseException as error:
                self._failures.append(error)
                raise

        thread = threading.Thread(target=watched, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read(self, turns: Sequence[StreamLane], relay: StreamLane) -> None:
        for record in self._changes():
            self.records.append(record)
            if _is_for_relay(record):
                relay.put(record)
            elif _is_for_turns(record):
                pk: str = record["dynamodb"]["Keys"]["pk"]["S"]
                turns[zlib.crc32(pk.encode()) % len(turns)].put(record)

    def _changes(self) -> Iterator[Record]:
        table = self._stack.client("dynamodb").describe_table(TableName=self._stack.outputs["Table"])["Table"]
        arn, streams = table["LatestStreamArn"], self._stack.client("dynamodbstreams")
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        place = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while not self._over.is_set():
            answer = streams.get_records(ShardIterator=place)
            place = answer["NextShardIterator"]
            yield from (json.loads(json.dumps(record, default=_as_lambda)) for record in answer["Records"])
            if not answer["Records"]:
                self.looks += 1
                self._over.wait(REST_S)


def _is_for_relay(record: Record) -> bool:
    sk: str = record["dynamodb"]["Keys"]["sk"]["S"]
    return record["eventName"] == "INSERT" and sk == "o#"


def _is_for_turns(record: Record) -> bool:
    """Filter as the template does."""
    sk: str = record["dynamodb"]["Keys"]["sk"]["S"]
    if record["eventName"] == "REMOVE":
        return False
    if sk.startswith("t#"):
        return "answer" in record["dynamodb"]["NewImage"]
    return sk.startswith("a#") or (sk == "meta" and record["eventName"] == "INSERT")


def _as_lambda(value: Any) -> str | float:
    """Write what JSON has not as Lambda does."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else float(value.timestamp())
