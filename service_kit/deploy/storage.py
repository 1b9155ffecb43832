"""Where executions are kept: the table with its stream, and the bucket for values that fit in no item."""

from __future__ import annotations

from service_kit.deploy.template import Output, Part, Resource
from service_kit.deploy.values import Ref, Value
from service_kit.stores.dynamodb.keys import TTL, table_definition

TABLE, BUCKET = "Table", "Bucket"


def storage_part() -> Part:
    """Return the table as the store defines it, and the bucket."""
    defined = table_definition("")
    table: dict[str, Value] = {
        "BillingMode": defined["BillingMode"],
        "AttributeDefinitions": defined["AttributeDefinitions"],
        "KeySchema": defined["KeySchema"],
        "GlobalSecondaryIndexes": defined["GlobalSecondaryIndexes"],
        "StreamSpecification": {"StreamViewType": defined["StreamSpecification"]["StreamViewType"]},
        "TimeToLiveSpecification": {"AttributeName": TTL, "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    bucket: dict[str, Value] = {
        "PublicAccessBlockConfiguration": dict.fromkeys(closed, True),
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    }
    return Part(
        {
            TABLE: Resource("AWS::DynamoDB::Table", table, kept_when_replaced=True),
            BUCKET: Resource("AWS::S3::Bucket", bucket, kept_when_replaced=True),
        },
        {
            TABLE: Output("Executions, tasks, deliveries", Ref(TABLE)),
            BUCKET: Output("Values that fit in no item and no message", Ref(BUCKET)),
        },
    )
