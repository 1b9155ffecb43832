"""What the code of each kind of function calls, and so what its role allows: actions and resources, each by name.

`tests/hosts/aws/test_permissions.py` records what functions call, and asks that it is exactly this. A transaction takes
the permission for each write in it, and none of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from service_kit.deploy.permissions import Allow
from service_kit.deploy.storage import BUCKET, TABLE
from service_kit.deploy.values import GetAtt, Sub
from service_kit.stores.dynamodb.keys import BY_DUE, BY_LISTING

BUS, SCHEDULES, SCHEDULE_ROLE, TIMERS = "Bus", "Schedules", "ScheduleRole", "TimersQueue"

TABLE_ACCESS = Allow(
    [
        "dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem",
        "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
    ],
    [GetAtt(TABLE)],
)  # fmt: skip
"""For everything in which code of the service may start, ask and end executions, and emit events."""
CLEARING = Allow(["dynamodb:BatchWriteItem"], [GetAtt(TABLE)])
"""For what ends runs, and forgets executions: it deletes many items at once."""
LISTING = Allow(["dynamodb:Query"], [Sub(f"${{{TABLE}.Arn}}/index/{name}") for name in (BY_DUE, BY_LISTING)])
BUCKET_ACCESS = Allow(["s3:GetObject", "s3:PutObject"], [Sub(f"${{{BUCKET}.Arn}}/*")])
SWEEPING = (
    Allow(
        [
            "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:GetItem",
            "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
        ],
        [GetAtt(TABLE)],
    ),
    LISTING,
    Allow(["s3:DeleteObject"], [Sub(f"${{{BUCKET}.Arn}}/*")]),
    Allow(["s3:ListBucket"], [GetAtt(BUCKET)]),
)  # fmt: skip
"""For what looks after the others: it takes no turns, and runs no code of the service."""
STREAM_ACCESS = (
    Allow(
        ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        [GetAtt(TABLE, "StreamArn")],
    ),
    # It knows no resources, and Lambda asks for it when it connects a function to a stream.
    Allow(["dynamodb:ListStreams"], ["*"]),
)
PUBLISHING = Allow(["events:PutEvents"], [GetAtt(BUS)])
RELAYING = (PUBLISHING, Allow(["dynamodb:DeleteItem"], [GetAtt(TABLE)]))
"""For what brings events from the table's outbox to the bus, and deletes them there."""
WAKING = Allow(["sqs:SendMessage"], [GetAtt(TIMERS)])
SCHEDULING = (
    WAKING,
    # A schedule names its queue by the ARN.
    Allow(["sqs:GetQueueAttributes"], [GetAtt(TIMERS)]),
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
    """Return what Lambda needs, in a function's name, to bring it the messages of queues.

    It is what AWS's own policy for that, AWSLambdaSQSQueueExecutionRole, allows.
    """
    names = "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"
    return (_on(queues, *names),) if queues else ()


def _on(queues: Sequence[str], *actions: str) -> Allow:
    return Allow(actions, [GetAtt(queue) for queue in queues])
