"""What a function may do: statements of its role's policy, and the role itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service_kit.deploy.template import Resource
from service_kit.deploy.values import GetAtt, Reference, Value
from service_kit.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Allow:
    """A permission that a function's code needs beyond the service's own: `Allow(["s3:GetObject"], [Sub(...)])`.

    Raises DefinitionError for a wildcard action on a wildcard resource.
    """

    actions: Sequence[str]
    resources: Sequence[str | Reference]

    def __post_init__(self) -> None:
        if isinstance(self.actions, str) or isinstance(self.resources, str):
            raise DefinitionError("permission", "one text instead of a list", "write Allow([...], [...])")
        for action in self.actions:
            if action == "*" or (action.endswith("*") and "*" in self.resources):
                raise DefinitionError(
                    "permission",
                    f"'{action}' on {list(self.resources)}",
                    "name the actions, or the resources",
                )

    def statement(self) -> dict[str, Value]:
        """Return it as IAM writes it."""
        return {"Effect": "Allow", "Action": list(self.actions), "Resource": list(self.resources)}


def log_permissions(log_group: str) -> Allow:
    """Return what writing to one log group takes, and no more: the group exists already."""
    return Allow(["logs:CreateLogStream", "logs:PutLogEvents"], [GetAtt(log_group)])


TRACE_PERMISSIONS = Allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"])
"""X-Ray's actions know no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html"""


def role(statements: Sequence[Allow]) -> Resource:
    """Return the role of one function."""
    trust: Value = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    policy: Value = {
        "Version": "2012-10-17",
        "Statement": [statement.statement() for statement in statements],
    }
    return Resource(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": trust,
            "Policies": [{"PolicyName": "function", "PolicyDocument": policy}],
        },
    )
