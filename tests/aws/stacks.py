"""Stacks whose functions import this work tree: made from the generated template in seconds, without a package.

That packages work is shown by `test_durable` and `test_todo`. What needs a stack of its own, and must be quick, is
deployed so; functions may be given less time, so that a claim that is lost runs out within seconds.
"""

from __future__ import annotations

import io
import json
import sys
import time
import zipfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import boto3  # type: ignore[import-untyped] # it has no types
from botocore.config import Config  # type: ignore[import-untyped] # nor has this

from service_kit.deploy import Deployment
from service_kit.deploy.deployment import Runtime
from service_kit.deploy.rendering import to_json
from service_kit.hosts.aws.host import AwsHost, Settings

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = cast(Runtime, f"python3.{sys.version_info.minor}")
DEADLINE_S = 120.0
CODE = "code-of-tests"
PACKAGES = Path(boto3.__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed service."""

    endpoint: str
    deployment: Deployment
    name: str
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        return client(self.endpoint, service)

    def host(self) -> AwsHost:
        """Return what a program of the service works with that is none of its functions."""
        settings = Settings(
            table=self.outputs["Table"],
            bus=self.outputs["Bus"],
            queue_prefix=f"{self.name}-",
            timers_url=self.outputs["TimersQueue"],
            bucket=self.outputs["Bucket"],
        )
        return AwsHost(self.deployment.service, settings, self.client)


def client(endpoint: str, service: str) -> Any:
    """Return a client of boto3 for an emulator, which asks once, and has patience."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            connect_timeout=10,
            read_timeout=DEADLINE_S,
            max_pool_connections=50,
            retries={"total_max_attempts": 1},
        ),
    )


@contextmanager
def stack(
    endpoint: str, deployment: Deployment, name: str, *, function_s: int, sources: bool = True
) -> Generator[Stack, None, None]:
    """Make a stack, and delete it. No function may run longer than `function_s`.

    Without `sources`, nothing brings changes and messages to the functions: somebody else does (`mapping`).
    """
    bucket = client(endpoint, "s3")
    bucket.create_bucket(Bucket=CODE)
    bucket.put_object(Bucket=CODE, Key="empty.zip", Body=_empty())
    formation = client(endpoint, "cloudformation")
    template = json.loads(to_json(deployment.template()))
    for resource in template["Resources"].values():
        _adapt(resource["Type"], resource["Properties"], function_s, sources=sources)
    formation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        made = _ended(formation, name)
        assert made["StackStatus"] == "CREATE_COMPLETE", made
        outputs = {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}
        yield Stack(endpoint, deployment, name, outputs)
    finally:
        formation.delete_stack(StackName=name)


def _adapt(kind: str, properties: dict[str, Any], function_s: int, *, sources: bool) -> None:
    match kind:
        case "AWS::Serverless::Function":
            properties["CodeUri"] = f"s3://{CODE}/empty.zip"
            properties["Timeout"] = min(properties["Timeout"], function_s)
            properties["Environment"]["Variables"]["PYTHONPATH"] = f"{ROOT}:{PACKAGES}"
        case "AWS::SQS::Queue" if "VisibilityTimeout" in properties:
            properties["VisibilityTimeout"] = min(properties["VisibilityTimeout"], function_s)
        case "AWS::Lambda::EventSourceMapping":
            properties["Enabled"] = sources
        case _:
            pass


def _empty() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("empty.txt", "")
    return content.getvalue()


def _ended(formation: Any, name: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        made: dict[str, Any] = formation.describe_stacks(StackName=name)["Stacks"][0]
        if made["StackStatus"] != "CREATE_IN_PROGRESS":
            return made
        assert time.monotonic() < deadline_s, made
        time.sleep(0.05)
