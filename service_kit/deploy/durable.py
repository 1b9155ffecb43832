"""The durable side of a template: everything that workflows, tasks, events and timers need, and how it is connected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service_kit.contract.gather import Declarations
from service_kit.deploy.alarms import alarm
from service_kit.deploy.deployment import Deployment
from service_kit.deploy.grants import BUS, SCHEDULE_ROLE, SCHEDULES, TIMERS
from service_kit.deploy.planning import PlannedFunction
from service_kit.deploy.queues import last_resort_part, queue_part
from service_kit.deploy.storage import storage_part
from service_kit.deploy.template import Output, Part, Resource
from service_kit.deploy.values import GetAtt, Ref, Value
from service_kit.deploy.workers import (
    MOVING_TIMEOUT_S,
    STREAM_FAILURES,
    Worker,
    function_of,
    orchestrator_filters,
    queue_source,
    relay_filters,
    stream_source,
    subscriptions_of,
    tasks_of,
    turns_memory_mb,
    visibility_s,
    worker_functions,
)
from service_kit.errors import DefinitionError

NAME_MOST = 60
"""Of tasks and subscriptions; SQS takes 80 characters, and the stack's name goes before."""
AGE_MOST_MS = 60_000


def is_durable(found: Declarations) -> bool:
    """Tell whether a service has more than commands."""
    return bool(found.workflows or found.tasks or found.subscriptions or found.events)


def durable_functions(deployment: Deployment, found: Declarations) -> list[PlannedFunction]:
    """Return the functions beside those of the API; raise DefinitionError for names that queues cannot have."""
    workers = [*tasks_of(found, deployment), *subscriptions_of(found, deployment)]
    for worker in workers:
        if not worker.name.isascii() or len(worker.name) > NAME_MOST:
            raise DefinitionError(
                f"deployment of '{deployment.contract.name}', '{worker.name}'",
                "a queue cannot be named after it",
                f"give it a name of ASCII letters, digits and underscores, at most {NAME_MOST}",
            )
    tasks, subscriptions = tasks_of(found, deployment), subscriptions_of(found, deployment)
    return list(worker_functions(deployment, tasks, subscriptions, turns_memory_mb(found, deployment)))


def durable_parts(deployment: Deployment, found: Declarations) -> Iterator[Part]:
    """Return everything but the functions themselves."""
    alarms = deployment.options.alarms
    yield storage_part()
    yield Part(
        {BUS: Resource("AWS::Events::EventBus", {"Name": Ref("AWS::StackName")})},
        {BUS: Output("The bus on which events are published", Ref(BUS))},
    )
    yield queue_part("Timers", None, MOVING_TIMEOUT_S, alarms=alarms)
    yield last_resort_part(
        STREAM_FAILURES, "Changes of the table that no function could handle", alarms=alarms
    )
    yield Part(dict(_schedules()))
    yield Part(dict(_sources()))
    yield Part(dict(_clock()))
    yield from _task_parts(deployment, tasks_of(found, deployment))
    yield from _subscription_parts(deployment, found, subscriptions_of(found, deployment))
    if alarms:
        yield Part(dict(_alarms(deployment)))


def _schedules() -> Iterator[tuple[str, Resource]]:
    """Where timers beyond a quarter of an hour are, and the role by which they send."""
    yield SCHEDULES, Resource("AWS::Scheduler::ScheduleGroup", {"Name": Ref("AWS::StackName")})
    trust: Value = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "scheduler.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": Ref("AWS::AccountId")}},
            }
        ],
    }
    allowed: Value = {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [GetAtt(TIMERS)]}
    policy: Value = {"Version": "2012-10-17", "Statement": [allowed]}
    yield (
        SCHEDULE_ROLE,
        Resource(
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": trust,
                "Policies": [{"PolicyName": "timers", "PolicyDocument": policy}],
            },
        ),
    )


def _sources() -> Iterator[tuple[str, Resource]]:
    yield "OrchestratorSource", stream_source("Orchestrator", orchestrator_filters())
    yield "RelaySource", stream_source("Relay", relay_filters())
    yield "TimersSource", queue_source("Timers", TIMERS, batch=10)


def _clock() -> Iterator[tuple[str, Resource]]:
    """What calls the sweeper."""
    target: Value = {"Id": "sweeper", "Arn": GetAtt("SweeperFunction")}
    properties: dict[str, Value] = {"ScheduleExpression": "rate(1 minute)", "Targets": [target]}
    yield "SweeperClock", Resource("AWS::Events::Rule", properties)
    yield (
        "SweeperPermission",
        Resource(
            "AWS::Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": Ref("SweeperFunction"),
                "Principal": "events.amazonaws.com",
                "SourceArn": GetAtt("SweeperClock"),
            },
        ),
    )


def _task_parts(deployment: Deployment, tasks: Sequence[Worker]) -> Iterator[Part]:
    for task in tasks:
        hidden_s = visibility_s(task, tasks, deployment)
        yield queue_part(task.stem, task.queue_name, hidden_s, alarms=deployment.options.alarms)
        function = function_of(task, "Tasks", deployment)
        # One message a call: its timeout, its failure and its place in the task's concurrency are its own.
        source = queue_source(function, task.queue, batch=1, concurrency=task.concurrency)
        yield Part({f"{task.stem}Source": source})


def _subscription_parts(
    deployment: Deployment, found: Declarations, subscriptions: Sequence[Worker]
) -> Iterator[Part]:
    for worker in subscriptions:
        stem, queue = worker.stem, worker.queue
        hidden_s = visibility_s(worker, subscriptions, deployment)
        yield queue_part(stem, worker.queue_name, hidden_s, alarms=deployment.options.alarms)
        events = sorted(found.subscriptions[worker.name].events)
        rule: dict[str, Value] = {
            "EventBusName": Ref(BUS),
            # By name alone: what goes by reference shows no content, and the function filters all.
            "EventPattern": {"detail-type": events},
            "Targets": [
                {
                    "Id": "queue",
                    "Arn": GetAtt(queue),
                    "DeadLetterConfig": {"Arn": GetAtt(f"{stem}DeadLetters")},
                }
            ],
        }
        function = function_of(worker, "Subscriptions", deployment)
        # A batch is handled side by side: where their number is limited, it is one message.
        batch = 10 if worker.concurrency is None else 1
        source = queue_source(function, queue, batch=batch, concurrency=worker.concurrency)
        yield Part(
            {
                f"{stem}Rule": Resource("AWS::Events::Rule", rule),
                f"{queue}Policy": _from_rule(queue, f"{stem}Rule"),
                f"{stem}DeadLettersPolicy": _from_rule(f"{stem}DeadLetters", f"{stem}Rule"),
                f"{stem}Source": source,
            }
        )


def _from_rule(queue: str, rule: str) -> Resource:
    """Return the policy by which a rule, and nothing else of EventBridge, sends to a queue."""
    sent: Value = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": GetAtt(queue),
        "Condition": {"ArnEquals": {"aws:SourceArn": GetAtt(rule)}},
    }
    document: Value = {"Version": "2012-10-17", "Statement": [sent]}
    return Resource("AWS::SQS::QueuePolicy", {"Queues": [Ref(queue)], "PolicyDocument": document})


def _alarms(deployment: Deployment) -> Iterator[tuple[str, Resource]]:
    for name in ("Orchestrator", "Relay"):
        yield (
            f"{name}Behind",
            alarm(
                f"{name} is a minute behind the table's stream",
                ("AWS/Lambda", "IteratorAge"),
                {"FunctionName": Ref(f"{name}Function")},
                above=AGE_MOST_MS,
                statistic="Maximum",
            ),
        )
    namespace = f"service-kit/{deployment.contract.name}"
    for name in ("Orchestrator", "Timers", "Sweeper"):
        yield (
            f"{name}ParkedFilter",
            Resource(
                "AWS::Logs::MetricFilter",
                {
                    "LogGroupName": Ref(f"{name}Logs"),
                    "FilterPattern": '"is paused:"',
                    "MetricTransformations": [
                        {
                            "MetricNamespace": namespace,
                            "MetricName": "ParkedExecutions",
                            "MetricValue": "1",
                        }
                    ],
                },
            ),
        )
    yield (
        "ParkedExecutions",
        alarm(
            "An execution cannot go on, and was paused with the reason; `service-kit executions` shows it",
            (namespace, "ParkedExecutions"),
            {},
        ),
    )
