"""What functions call of AWS, as they call it, and the permissions which that takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import boto3  # type: ignore[import-untyped] # it has no types

from tests.stores.emulators import client_options

Need: TypeAlias = tuple[str, str]
"""An action of IAM, and what it is done to, by the template's names."""

_WRITES = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


class Needs:
    """Hands out clients of boto3 that note, for whom they were made, each request before it is sent."""

    def __init__(self, emulator: str = "moto") -> None:
        self.by_caller: dict[str, set[Need]] = {}
        self._options = client_options(emulator)

    def clients_of(self, caller: str) -> Callable[[str], Any]:
        """Return what makes clients for one function, each once."""
        made: dict[str, Any] = {}
        noted = self.by_caller.setdefault(caller, set())

        def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
            noted.update(_needed(model.service_model.service_name, model.name, params))

        def client(name: str) -> Any:
            if name not in made:
                made[name] = boto3.client(name, **self._options)
                made[name].meta.events.register("provide-client-params", note)
            return made[name]

        return client


def _needed(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            # A transaction has no permission of its own: each of its writes takes the one that it takes alone.
            # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
            for item in params["TransactItems"]:
                for kind in item:
                    yield f"dynamodb:{_WRITES[kind]}", "Table"
        case "dynamodb", "Query" if "IndexName" in params:
            yield "dynamodb:Query", f"Table/index/{params['IndexName']}"
        case "dynamodb", _:
            yield f"dynamodb:{operation}", "Table"
        case "s3", "ListObjectsV2":
            yield "s3:ListBucket", "Bucket"
        case "s3", "DeleteObjects":
            yield "s3:DeleteObject", "Bucket/*"
        case "s3", _:
            yield f"s3:{operation}", "Bucket/*"
        case "sqs", "GetQueueUrl":
            yield "sqs:GetQueueUrl", queue_kind(params["QueueName"])
        case "sqs", _:
            action = operation.removesuffix("Batch")
            yield f"sqs:{action}", queue_kind(params["QueueUrl"].rsplit("/", 1)[1])
        case "events", _:
            yield f"events:{operation}", "Bus"
        case "scheduler", "CreateSchedule":
            yield "scheduler:CreateSchedule", "Schedules/*"
            # Whoever makes a schedule hands it the role by which it sends.
            yield "iam:PassRole", "ScheduleRole"
        case _:
            raise AssertionError(f"nobody knows what {service}:{operation} takes")


def queue_kind(name: str) -> str:
    """Return which of the deployment's kinds of queues one is, by what stands behind the prefix of its name."""
    name = name.partition("-")[2]
    return (
        "timers"
        if name == "timers"
        else "subscriptions' queues"
        if name.startswith("on-")
        else "tasks' queues"
    )
