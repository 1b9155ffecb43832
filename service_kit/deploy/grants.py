"""What the code of each kind of function calls, and so what its role allows: actions and resources, each by name."""

from __future__ import annotations

from collections.abc import Sequence

from service_kit.deploy.permissions import Allow
from service_kit.deploy.storage import BUCKET, TABLE
from service_kit.deploy.values import GetAtt, Sub

BUS, SCHEDULES, SCHEDULE_ROLE, TIMERS = "Bus", "Schedules", "ScheduleRole", "TimersQueue"

TABLE_ACCESS = Allow(
    [
        "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem",
        "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
    ],
    [GetAtt(TABLE), Sub(f"${{{TABLE}.Arn}}/index/*")],
)  # fmt: skip
BUCKET_ACCESS = Allow(["s3:GetObject", "s3:PutObject"], [Sub(f"${{{BUCKET}.Arn}}/*")])
STREAM_ACCESS = (
    Allow(
        ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        [GetAtt(TABLE, "StreamArn")],
    ),
    # It knows no resources, and Lambda asks for it when it connects a function to a stream.
    Allow(["dynamodb:ListStreams"], ["*"]),
)
PUBLISHING = Allow(["events:PutEvents"], [GetAtt(BUS)])
TIMER_SENDING = Allow(["sqs:GetQueueAttributes", "sqs:SendMessage"], [GetAtt(TIMERS)])
SCHEDULING = (
    TIMER_SENDING,
    Allow(
        ["scheduler:CreateSchedule"],
        [
            Sub(
                f"arn:${{AWS::Partition}}:scheduler:${{AWS::Region}}:${{AWS::AccountId}}:schedule/${{{SCHEDULES}}}/*"
            )
        ],
    ),
    Allow(["iam:PassRole"], [GetAtt(SCHEDULE_ROLE)]),
)


def sending(queues: Sequence[str]) -> tuple[Allow, ...]:
    """Return what it takes to find queues by name and send to them."""
    return (_on(queues, "sqs:GetQueueUrl", "sqs:SendMessage"),) if queues else ()


def receiving(queues: Sequence[str]) -> tuple[Allow, ...]:
    """Return what Lambda needs, in a function's name, to bring it the messages of queues."""
    names = (
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    )
    return (_on(queues, *names),) if queues else ()


def _on(queues: Sequence[str], *actions: str) -> Allow:
    return Allow(actions, [GetAtt(queue) for queue in queues])
