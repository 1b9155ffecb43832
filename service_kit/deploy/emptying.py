"""Emptying a stack's bucket: CloudFormation deletes none that has objects in it."""

from __future__ import annotations

from typing import Any

from service_kit.deploy.storage import BUCKET

PAGE = 1_000
"""Objects that S3 lists, and deletes, at once."""


class NotEmptied(Exception):
    """AWS did not let the bucket be emptied."""

    def __init__(self, stack: str, reason: object) -> None:
        super().__init__(f"the bucket of stack '{stack}' has to be empty before it is deleted: {reason}")


def empty_bucket(stack: str, region: str | None, profile: str | None) -> int:
    """Delete the large payloads of a stack; return how many there were.

    Raises NotEmptied, and ImportError without boto3.
    """
    import boto3  # type: ignore[import-untyped] # it has no types
    from botocore.exceptions import (  # type: ignore[import-untyped] # nor has this
        BotoCoreError,
        ClientError,
    )

    try:
        session = boto3.Session(region_name=region, profile_name=profile)
        bucket = _bucket_of(stack, session.client("cloudformation"))
        return 0 if bucket is None else _emptied(bucket, session.client("s3"))
    except (BotoCoreError, ClientError) as error:
        raise NotEmptied(stack, error) from error


def _bucket_of(stack: str, cloudformation: Any) -> str | None:
    """Return the name of a stack's bucket; None if there is no such stack, or it has none."""
    try:
        found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=BUCKET)
    except cloudformation.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    name: str = found["StackResourceDetail"]["PhysicalResourceId"]
    return name


def _emptied(bucket: str, s3: Any) -> int:
    deleted = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, MaxKeys=PAGE):
        if keys := [{"Key": each["Key"]} for each in page.get("Contents", ())]:
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            if failed := answer.get("Errors"):
                raise NotEmptied(bucket, f"{len(failed)} objects stayed, such as {failed[0]}")
            deleted += len(keys)
    return deleted
