"""What a function's environment says, and what is made of it: each part when it is first used."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from client_kit.ids import new_id
from service_kit.contract.gather import Declarations, gather
from service_kit.contract.service import Service, ServiceContract, contract_of
from service_kit.hosts.aws.environment import TABLE, service_from_environment
from service_kit.messaging.blobs import S3Blobs
from service_kit.messaging.bus import EventBus
from service_kit.messaging.queues import SUBSCRIPTION_KIND, Queues, queue_name
from service_kit.messaging.timers import AwsTimers, Schedules
from service_kit.runtime.clock import Clock, SystemClock
from service_kit.runtime.tokens import TaskTokens
from service_kit.stores.dynamodb.secret import token_secret
from service_kit.stores.dynamodb.store import DynamoStore, dynamodb_store
from service_kit.stores.dynamodb.table import Table

BUS, BUCKET = "SERVICE_KIT_BUS", "SERVICE_KIT_BUCKET"
QUEUE_PREFIX, TIMERS = "SERVICE_KIT_QUEUE_PREFIX", "SERVICE_KIT_TIMERS"
SCHEDULE_GROUP, SCHEDULE_ROLE = "SERVICE_KIT_SCHEDULE_GROUP", "SERVICE_KIT_SCHEDULE_ROLE"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the deployment tells every function."""

    table: str
    bus: str
    queue_prefix: str
    timers_url: str
    bucket: str | None = None
    schedule_group: str | None = None
    schedule_role: str | None = None

    @staticmethod
    def of(environment: Mapping[str, str]) -> Settings:
        """Read an environment; raise LookupError for what is missing."""
        needed = [TABLE, BUS, QUEUE_PREFIX, TIMERS]
        if missing := [name for name in needed if not environment.get(name)]:
            raise LookupError(
                f"the environment has no {', '.join(missing)}; deploy with the template that service-kit makes"
            )
        table, bus, prefix, timers = (environment[name] for name in needed)
        rest = (environment.get(name) or None for name in (BUCKET, SCHEDULE_GROUP, SCHEDULE_ROLE))
        return Settings(table, bus, prefix, timers, *rest)


def boto3_client(name: str) -> Any:
    """Return a client of boto3, which is imported with the first one."""
    if name == "dynamodb":
        from service_kit.stores.dynamodb.client import dynamodb_client

        return dynamodb_client()
    import boto3  # type: ignore[import-untyped] # it has no types
    from botocore.config import Config  # type: ignore[import-untyped] # nor has this

    config = Config(connect_timeout=2, read_timeout=10, retries={"mode": "adaptive", "total_max_attempts": 5})
    return boto3.client(name, config=config)


class AwsHost:
    """The parts of one process. `client` makes clients of AWS by name."""

    def __init__(
        self,
        service: type[Service],
        settings: Settings,
        client: Callable[[str], Any] = boto3_client,
        clock: Clock | None = None,
    ) -> None:
        self.contract: ServiceContract = contract_of(service)
        self.declarations: Declarations = gather(self.contract)
        self.settings: Settings = settings
        self.clock: Clock = clock or SystemClock()
        self._client = client
        self._tokens: TaskTokens | None = None

    @cached_property
    def store(self) -> DynamoStore:
        table = Table(self._client("dynamodb"), self.settings.table)
        codecs = self.contract.codecs() if self.contract.codecs is not None else ()
        return dynamodb_store(table, self.blobs, codecs, queued=True, clock=self.clock.now_s)

    @cached_property
    def blobs(self) -> S3Blobs | None:
        return S3Blobs(self._client("s3"), self.settings.bucket) if self.settings.bucket else None

    @cached_property
    def queues(self) -> Queues:
        return Queues(self._client("sqs"))

    @cached_property
    def bus(self) -> EventBus:
        return EventBus(self._client("events"), self.settings.bus, self.store.payloads)

    @cached_property
    def timers(self) -> AwsTimers:
        group, role = self.settings.schedule_group, self.settings.schedule_role
        schedules = Schedules(self._client("scheduler"), group, role) if group and role else None
        return AwsTimers(self.queues, self.settings.timers_url, schedules)

    async def tokens(self) -> TaskTokens:
        """Return what signs the tokens of tasks, by a secret that the table keeps."""
        if self._tokens is None:
            self._tokens = TaskTokens(await token_secret(self.store.table))
        return self._tokens

    def task_queue(self, name: str) -> str:
        return queue_name(self.settings.queue_prefix, name)

    def subscription_queue(self, name: str) -> str:
        return queue_name(self.settings.queue_prefix, name, SUBSCRIPTION_KIND)

    def new_id(self) -> str:
        return new_id()

    def random(self) -> float:
        return random.random()  # noqa: S311 - it spreads retries

    def close(self) -> None:
        """Let go of what was made; for tests."""
        if "store" in self.__dict__:
            self.store.table.close()


def host_from_environment() -> AwsHost:
    """Return the host of the service that the environment names."""
    return AwsHost(service_from_environment(), Settings.of(os.environ))
