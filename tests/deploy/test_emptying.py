"""What is done to a stack's bucket before the stack is deleted."""

from __future__ import annotations

import json
import secrets
from typing import Any

import boto3  # type: ignore[import-untyped] # it has no types
import pytest

from service_kit.deploy import emptying
from service_kit.deploy.emptying import NotEmptied, empty_bucket
from tests.stores.emulators import REGION, client_options, endpoint


@pytest.fixture(autouse=True)
def moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let programs take the emulator for AWS, as their environment says."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint("moto"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def client(service: str) -> Any:
    return boto3.client(service, **client_options("moto"))


def test_a_bucket_of_more_than_a_page_is_emptied_and_then_goes_with_its_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(emptying, "PAGE", 3)
    stack = f"stack-{secrets.token_hex(4)}"
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}
    client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(template))
    found = client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId="Bucket")
    bucket, s3 = found["StackResourceDetail"]["PhysicalResourceId"], client("s3")
    for number in range(7):
        s3.put_object(Bucket=bucket, Key=str(number), Body=b"")
    assert empty_bucket(stack, REGION, None) == 7
    assert empty_bucket(stack, REGION, None) == 0
    client("cloudformation").delete_stack(StackName=stack)
    assert bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]


def test_where_there_is_no_stack_there_is_nothing_to_empty() -> None:
    assert empty_bucket("nobody-made-it", REGION, None) == 0


def test_what_aws_refuses_is_told_with_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(NotEmptied, match="the bucket of stack 'orders' has to be empty"):
        empty_bucket("orders", REGION, None)
