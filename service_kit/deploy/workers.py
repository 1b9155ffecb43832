"""The functions of a durable service behind streams, queues and a clock: which there are, and what brings them work."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from service_kit.contract.gather import Declarations
from service_kit.deploy.deployment import Deployment
from service_kit.deploy.grants import (
    BUCKET_ACCESS,
    BUS,
    CLEARING,
    LISTING,
    PUBLISHING,
    RELAYING,
    SCHEDULE_ROLE,
    SCHEDULES,
    SCHEDULING,
    STREAM_ACCESS,
    SWEEPING,
    TABLE_ACCESS,
    TIMERS,
    WAKING,
    receiving,
    sending,
)
from service_kit.deploy.naming import Names
from service_kit.deploy.permissions import Allow
from service_kit.deploy.planning import PlannedFunction
from service_kit.deploy.storage import BUCKET, TABLE
from service_kit.deploy.template import Resource
from service_kit.deploy.values import GetAtt, Ref, Sub, Value
from service_kit.messaging.queues import SUBSCRIPTION_KIND
from service_kit.stores.dynamodb.keys import ARRIVAL, META, OUTBOX, SK, TASK

MOVING_TIMEOUT_S = 300
"""For functions that take turns: room for inline tasks."""
TASK_TIMEOUT_S = 900
"""For tasks that do not say how long they take."""
MARGIN_S = 10
STREAM_FAILURES = "StreamFailures"
QUEUE_PREFIX = "${AWS::StackName}-"


@dataclass(frozen=True, slots=True)
class Worker:
    """A task or subscription with the queue that it is behind."""

    name: str
    stem: str
    """What its queue is named after in the template."""
    kind: str
    timeout_s: int
    memory_mb: int
    concurrency: int | None = None
    inline: bool = False
    """Whether it runs in the functions that take turns, too."""

    @property
    def queue(self) -> str:
        return f"{self.stem}Queue"

    @property
    def queue_name(self) -> Sub:
        """The name by which functions find it: that of `messaging.queue_name` for what SQS takes as it is."""
        return Sub(f"{QUEUE_PREFIX}{self.kind}{self.name}")


def tasks_of(found: Declarations, deployment: Deployment) -> list[Worker]:
    """Return the tasks, inline ones among them: what is to be retried goes through its queue."""
    names, workers = Names(), list[Worker]()
    for name, declared in sorted(found.tasks.items()):
        definition = declared.definition
        time_s = definition.get("timeout_s")
        limit_s = TASK_TIMEOUT_S if time_s is None else min(math.ceil(time_s) + MARGIN_S, TASK_TIMEOUT_S)
        memory_mb = definition.get("memory_mb", deployment.options.memory_mb)
        stem = names.take(name, "Task")
        inline = definition.get("inline", False)
        workers.append(Worker(name, stem, "", limit_s, memory_mb, definition.get("concurrency"), inline))
    return workers


def subscriptions_of(found: Declarations, deployment: Deployment) -> list[Worker]:
    """Return the subscriptions."""
    names, workers = Names(), list[Worker]()
    for name, declared in sorted(found.subscriptions.items()):
        time_s = declared.definition.get("timeout_s", 60.0)
        limit_s = min(math.ceil(time_s) + MARGIN_S, TASK_TIMEOUT_S)
        memory_mb = declared.definition.get("memory_mb", deployment.options.memory_mb)
        stem, concurrency = names.take(name, "Subscription"), declared.definition.get("concurrency")
        workers.append(Worker(name, stem, SUBSCRIPTION_KIND, limit_s, memory_mb, concurrency))
    return workers


def durable_environment() -> Mapping[str, Value]:
    """Return what `hosts.aws.host.Settings` reads, the same for every function."""
    return {
        "SERVICE_KIT_TABLE": Ref(TABLE),
        "SERVICE_KIT_BUS": Ref(BUS),
        "SERVICE_KIT_BUCKET": Ref(BUCKET),
        "SERVICE_KIT_QUEUE_PREFIX": Sub(QUEUE_PREFIX),
        "SERVICE_KIT_TIMERS": Ref(TIMERS),
        "SERVICE_KIT_SCHEDULE_GROUP": Ref(SCHEDULES),
        "SERVICE_KIT_SCHEDULE_ROLE": GetAtt(SCHEDULE_ROLE),
    }


def durable_api_function(function: PlannedFunction) -> PlannedFunction:
    """Return a function of the API that may start workflows and publish events: by the table, whose stream goes on."""
    return replace(
        function,
        environment={**function.environment, **durable_environment()},
        permissions=(TABLE_ACCESS, BUCKET_ACCESS, *function.permissions),
    )


def managing_function(function: PlannedFunction, subscriptions: Sequence[Worker]) -> PlannedFunction:
    """Return the function that serves the management API: it lists, wakes what was paused, and delivers again."""
    more = LISTING, WAKING, *sending([one.queue for one in subscriptions])
    return replace(function, permissions=(*function.permissions, *more))


def turns_memory_mb(found: Declarations, deployment: Deployment) -> int:
    """Return what functions have that take turns of all workflows, and run inline tasks."""
    chosen_mb = deployment.options.memory_mb
    inline_mb = [task.memory_mb for task in tasks_of(found, deployment) if task.inline]
    turns_mb = [one.definition.get("memory_mb", chosen_mb) for one in found.workflows.values()]
    return max([*turns_mb, *inline_mb], default=chosen_mb)


def worker_functions(
    deployment: Deployment, tasks: Sequence[Worker], subscriptions: Sequence[Worker], turns_memory_mb: int
) -> Iterator[PlannedFunction]:
    """Return the functions behind stream, queues and clock."""
    each, title = deployment.options.functions == "each", deployment.contract.title
    moving = (
        *(TABLE_ACCESS, CLEARING, BUCKET_ACCESS, PUBLISHING, *SCHEDULING),
        *sending([task.queue for task in tasks]),
        *deployment.granted("task", *(task.name for task in tasks if task.inline)),
    )
    failures = Allow(["sqs:SendMessage"], [GetAtt(STREAM_FAILURES)])
    make = _Maker(deployment)
    orchestrator = make("Orchestrator", f"{title}: turns of workflows", (*moving, *STREAM_ACCESS, failures))
    yield replace(orchestrator, memory_mb=turns_memory_mb)
    relaying = (BUCKET_ACCESS, *RELAYING, *STREAM_ACCESS, failures)
    yield make("Relay", f"{title}: events of commands and tasks, to the bus", relaying)
    timers = make("Timers", f"{title}: executions whose time has come", (*moving, *receiving([TIMERS])))
    yield replace(timers, memory_mb=turns_memory_mb)
    sweeping = (*SWEEPING, *RELAYING, BUCKET_ACCESS, WAKING, *sending([one.queue for one in subscriptions]))
    yield make("Sweeper", f"{title}: what lost wake-ups have left behind", sweeping)
    kinds = (("Tasks", "task", tasks), ("Subscriptions", "subscription", subscriptions))
    for handler, kind, workers in kinds:
        groups = [[one] for one in workers] if each else [list(workers)] if workers else []
        for group in groups:
            queues = [one.queue for one in group]
            permissions = (
                *(TABLE_ACCESS, BUCKET_ACCESS, *receiving(queues), *sending(queues)),
                *deployment.granted(kind, *(one.name for one in group)),
            )
            description = f"{title}: {', '.join(one.name for one in group)}"[:256]
            function = make(group[0].stem if each else handler, description, permissions, handler)
            yield replace(
                function,
                memory_mb=max(one.memory_mb for one in group),
                timeout_s=max(one.timeout_s for one in group),
            )


def function_of(worker: Worker, handler: str, deployment: Deployment) -> str:
    """Return the stem of the function that runs a worker."""
    return worker.stem if deployment.options.functions == "each" else handler


def visibility_s(worker: Worker, all_of_kind: Sequence[Worker], deployment: Deployment) -> int:
    """Return how long a message stays with its function: as long as that may run, which Lambda asks for."""
    shared = deployment.options.functions == "one"
    return max(one.timeout_s for one in all_of_kind) if shared else worker.timeout_s


def stream_source(function: str, patterns: Sequence[Mapping[str, object]]) -> Resource:
    """Return what brings a function the table's changes: in order for each execution, until it has handled them."""
    return Resource(
        "AWS::Lambda::EventSourceMapping",
        {
            "FunctionName": Ref(f"{function}Function"),
            "EventSourceArn": GetAtt(TABLE, "StreamArn"),
            # Not LATEST: what is written while the stack is being made would be lost.
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 100,
            "ParallelizationFactor": 10,
            "FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": 50,
            "MaximumRecordAgeInSeconds": 3600,
            "DestinationConfig": {"OnFailure": {"Destination": GetAtt(STREAM_FAILURES)}},
        },
        # Lambda looks whether the role may read the stream.
        depends_on=(f"{function}Role",),
    )


def queue_source(function: str, queue: str, *, batch: int, concurrency: int | None = None) -> Resource:
    """Return what brings a function the messages of a queue."""
    properties: dict[str, Value] = {
        "FunctionName": Ref(f"{function}Function"),
        "EventSourceArn": GetAtt(queue),
        "BatchSize": batch,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    if concurrency is not None:
        # Lambda's bounds: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
        properties["ScalingConfig"] = {"MaximumConcurrency": min(max(concurrency, 2), 1000)}
    return Resource("AWS::Lambda::EventSourceMapping", properties, depends_on=(f"{function}Role",))


def orchestrator_filters() -> list[Mapping[str, object]]:
    """Return what wakes executions: their beginning, what arrives, and answers of tasks in each form they have."""
    answers: list[object] = [{"S": _THERE}, {"B": _THERE}]
    return [
        {"eventName": ["INSERT"], "dynamodb": {"Keys": {SK: {"S": [META]}}}},
        {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {SK: {"S": [{"prefix": ARRIVAL}]}}}},
        *(
            {
                "eventName": ["INSERT", "MODIFY"],
                "dynamodb": {"Keys": {SK: {"S": [{"prefix": TASK}]}}, "NewImage": {"answer": answer}},
            }
            for answer in answers
        ),
    ]


def relay_filters() -> list[Mapping[str, object]]:
    """Return what is to be published."""
    return [{"eventName": ["INSERT"], "dynamodb": {"Keys": {SK: {"S": [OUTBOX]}}}}]


_THERE = [{"exists": True}]


class _Maker:
    """Makes functions that have what all of a deployment have."""

    def __init__(self, deployment: Deployment) -> None:
        self._options = deployment.options

    def __call__(
        self, name: str, description: str, permissions: tuple[Allow, ...], handler: str = ""
    ) -> PlannedFunction:
        return PlannedFunction(
            name,
            description,
            (),
            self._options.memory_mb,
            MOVING_TIMEOUT_S,
            None,
            {**self._options.environment, **durable_environment()},
            (*permissions, *self._options.permissions),
            f"service_kit.hosts.aws.{(handler or name).lower()}.handler",
        )
