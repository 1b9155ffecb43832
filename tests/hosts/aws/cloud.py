"""A deployment in one process: the functions of a service, called as Lambda calls them, between stream and queues.

What an event source mapping does is done here: records of the stream in their order, again from the first one that
failed; messages deleted when they were handled, and received again when they were not.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3  # type: ignore[import-untyped] # it has no types

from service_kit.contract.service import Service
from service_kit.hosts.aws.durable import durable_handler
from service_kit.hosts.aws.entry import LambdaHandler
from service_kit.hosts.aws.host import AwsHost, Settings
from service_kit.hosts.aws.invocation import Function
from service_kit.hosts.aws.orchestrator import OrchestratorFunction
from service_kit.hosts.aws.relay import RelayFunction
from service_kit.hosts.aws.subscriptions import SubscriptionsFunction
from service_kit.hosts.aws.sweeper import SweeperFunction
from service_kit.hosts.aws.tasks import TasksFunction
from service_kit.hosts.aws.timers import TimersFunction
from service_kit.messaging.queues import Queues
from service_kit.runtime.clock import Clock
from service_kit.stores.dynamodb.keys import table_definition
from tests.stores.emulators import client_options

PATIENCE_S = 60.0


@dataclass(slots=True)
class Cloud:
    """A service on an emulator."""

    service: type[Service]
    settings: Settings
    client: Callable[[str], Any]
    stream: Stream
    queues: dict[str, type[Function]] = field(default_factory=dict[str, type[Function]])
    """The functions behind the queues, by their URLs."""
    functions: dict[type[Function], Function] = field(default_factory=dict[type[Function], Function])
    messages_most: dict[type[Function], int] = field(default_factory=dict[type[Function], int])
    """How many messages a call brings, where that is not ten."""
    invocations: list[str] = field(default_factory=list[str])
    told: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    """The events that they were called with."""
    clock: Clock | None = None
    clients_of: Callable[[str], Callable[[str], Any]] | None = None
    """Makes the clients of one function, by its name; None: all share `client`."""

    def host(self, caller: str = "") -> AwsHost:
        client = self.clients_of(caller) if caller and self.clients_of is not None else self.client
        return AwsHost(self.service, self.settings, client, self.clock)

    def api(self, caller: str = "Api") -> LambdaHandler:
        return durable_handler(self.service, self.host(caller))

    def function(self, kind: type[Function]) -> Function:
        """Return a warm function."""
        if kind not in self.functions:
            self.functions[kind] = kind(self.host(kind.__name__.removesuffix("Function")))
        return self.functions[kind]

    def replace(self, kind: type[Function]) -> None:
        """Let the next call be a cold one."""
        if (function := self.functions.pop(kind, None)) is not None:
            function.close()

    def call(self, kind: type[Function], event: Mapping[str, Any]) -> set[str]:
        """Call a function; return the ids of what is to come again."""
        self.invocations.append(kind.__name__)
        self.told.append(event)
        answer = self.function(kind)(event)
        return {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}

    def run(self, done: Callable[[], bool]) -> None:
        """Let everything go on until something is so."""
        until_s = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < until_s, "nothing leads to the end of it"
            self.step()

    def step(self) -> None:
        """Deliver what is there once."""
        self.deliver_stream(OrchestratorFunction)
        self.deliver_stream(RelayFunction)
        self.deliver_queues()

    def deliver_queues(self) -> None:
        """Call functions with what their queues have for them."""
        for url, kind in self.queues.items():
            self.deliver_queue(url, kind)

    def close(self) -> None:
        for kind in list(self.functions):
            self.replace(kind)
        self.client("dynamodb").delete_table(TableName=self.settings.table)

    def deliver_stream(self, kind: type[Function]) -> None:
        """Call a function with what the stream has for it."""
        records = [r for r in self.stream.pending(kind.__name__) if _passes(kind, r)]
        if not records:
            self.stream.advance(kind.__name__, None)
            return
        failed = self.call(kind, {"Records": records})
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        first = next((number for number in numbers if number in failed), None)
        self.stream.advance(kind.__name__, first)

    def deliver_queue(self, url: str, kind: type[Function]) -> None:
        """Call a function with the messages that wait for it."""
        sqs = self.client("sqs")
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=self.messages_most.get(kind, 10),
            VisibilityTimeout=1,
            AttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            return
        name = url.rsplit("/", 1)[1]
        records = [
            {
                "messageId": m["MessageId"],
                "body": m["Body"],
                "eventSourceARN": f"arn:aws:sqs:r:a:{name}",
                "attributes": {"ApproximateReceiveCount": m["Attributes"]["ApproximateReceiveCount"]},
            }
            for m in messages
        ]
        failed = self.call(kind, {"Records": records})
        for message in messages:
            if message["MessageId"] not in failed:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


class Stream:
    """The records of a table's stream, and how far each consumer has come."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn
        self._records: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}
        self._iterator: str | None = None

    def pending(self, consumer: str) -> Sequence[dict[str, Any]]:
        self._read()
        return self._records[self._places.get(consumer, 0) :]

    def advance(self, consumer: str, failed: str | None) -> None:
        """Let a consumer go on after what it has seen, or with what failed."""
        numbers = [record["dynamodb"]["SequenceNumber"] for record in self._records]
        self._places[consumer] = len(self._records) if failed is None else numbers.index(failed)

    def rewind(self, consumer: str) -> None:
        """Let everything come again."""
        self._places[consumer] = 0

    def _read(self) -> None:
        if self._iterator is None:
            (shard,) = self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
            self._iterator = self._client.get_shard_iterator(
                StreamArn=self._arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
        answer = self._client.get_records(ShardIterator=self._iterator)
        self._iterator = answer["NextShardIterator"]
        self._records += [json.loads(json.dumps(record, default=_as_lambda)) for record in answer["Records"]]


def _as_lambda(value: Any) -> str:
    """Write what JSON has not as Lambda does."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _passes(kind: type[Function], record: Mapping[str, Any]) -> bool:
    """Filter as the template does: by the sort key's prefix, the kind of change, and whether there is an answer."""
    sk: str = record["dynamodb"]["Keys"]["sk"]["S"]
    if kind is RelayFunction:
        return sk == "o#" and record["eventName"] == "INSERT"
    if sk == "meta":
        return bool(record["eventName"] == "INSERT")
    if record["eventName"] == "REMOVE":
        return False
    return sk.startswith("a#") or (sk.startswith("t#") and "answer" in record["dynamodb"]["NewImage"])


@contextmanager
def deployed(service: type[Service], emulator: str = "moto", clock: Clock | None = None) -> Iterator[Cloud]:
    """Make what a service needs, and its functions."""
    clients: dict[str, Any] = {}

    def client(name: str) -> Any:
        if name not in clients:
            clients[name] = boto3.client(name, **client_options(emulator))
        return clients[name]

    mark = secrets.token_hex(4)
    table = client("dynamodb").create_table(**table_definition(f"kit-{mark}"))["TableDescription"]
    client("events").create_event_bus(Name=f"bus-{mark}")
    client("s3").create_bucket(Bucket=f"bucket-{mark}")
    timers = client("sqs").create_queue(QueueName=f"{mark}-timers")["QueueUrl"]
    settings = Settings(f"kit-{mark}", f"bus-{mark}", f"{mark}-", timers, bucket=f"bucket-{mark}")
    stream = Stream(client("dynamodbstreams"), table["LatestStreamArn"])
    cloud = Cloud(service, settings, client, stream, {timers: TimersFunction}, clock=clock)
    host = cloud.host()
    for name in host.declarations.tasks:
        cloud.queues[_queue(client, host.task_queue(name))] = TasksFunction
    for name, declared in host.declarations.subscriptions.items():
        url = _queue(client, host.subscription_queue(name))
        cloud.queues[url] = SubscriptionsFunction
        rule = {"Name": f"{mark}-{name}", "EventBusName": settings.bus}
        client("events").put_rule(**rule, EventPattern=json.dumps({"detail-type": list(declared.events)}))
        target = {"Id": "1", "Arn": Queues(client("sqs")).arn(url)}
        client("events").put_targets(Rule=rule["Name"], EventBusName=settings.bus, Targets=[target])
    try:
        yield cloud
    finally:
        cloud.close()


def _queue(client: Callable[[str], Any], name: str) -> str:
    url: str = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


__all__ = ["Cloud", "SweeperFunction", "deployed"]
