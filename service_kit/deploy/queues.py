"""Queues, each with the one that gets what nobody could handle, and an alarm for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from service_kit.deploy.alarms import alarm
from service_kit.deploy.template import Output, Part, Resource
from service_kit.deploy.values import GetAtt, Ref, Sub, Value

RECEIVED_MOST = 10
"""How often a message is tried. Only a crash or an unreadable one gets so far: attempts are counted by the table."""
DAYS_14_S = 14 * 86_400
"""What SQS keeps a message for at most."""

QueueName: TypeAlias = "Sub | None"
"""None: CloudFormation gives one."""


def queue_part(stem: str, name: QueueName, visibility_s: int, *, alarms: bool) -> Part:
    """Return a queue `<stem>Queue` and its `<stem>DeadLetters`."""
    queue, dead = f"{stem}Queue", f"{stem}DeadLetters"
    properties: dict[str, Value] = {
        "VisibilityTimeout": visibility_s,
        "RedrivePolicy": {"deadLetterTargetArn": GetAtt(dead), "maxReceiveCount": RECEIVED_MOST},
        **_kept(),
    }
    if name is not None:
        properties = {"QueueName": name, **properties}
    resources = {
        queue: Resource("AWS::SQS::Queue", properties),
        dead: Resource("AWS::SQS::Queue", _kept()),
    }
    if alarms:
        resources[f"{stem}Buried"] = depth_alarm(f"{stem}: messages were given up, and wait for you", dead)
    outputs = {
        queue: Output(f"URL of the queue of {stem}", Ref(queue)),
        dead: Output(f"URL of what was given up of {stem}", Ref(dead)),
    }
    return Part(resources, outputs)


def last_resort_part(name: str, description: str, *, alarms: bool) -> Part:
    """Return a queue that nobody reads but people."""
    resources = {name: Resource("AWS::SQS::Queue", _kept())}
    if alarms:
        resources[f"{name}Found"] = depth_alarm(description, name)
    return Part(resources, {name: Output(description, Ref(name))})


def depth_alarm(description: str, queue: str) -> Resource:
    """Return the alarm for a queue that ought to be empty."""
    dimensions = {"QueueName": GetAtt(queue, "QueueName")}
    metric = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    return alarm(description, metric, dimensions, statistic="Maximum")


def _kept() -> Mapping[str, Value]:
    return {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": DAYS_14_S}
