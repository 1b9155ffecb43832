"""Resources that a deployment adds to those of the service: their part of the template, and what refers to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from service_kit.deploy.alarms import PARAMETERS
from service_kit.deploy.deployment import Deployment
from service_kit.deploy.template import Output, Part
from service_kit.deploy.values import GetAtt, If, NotEmpty, Ref, Sub, Value
from service_kit.deploy.workers import durable_environment
from service_kit.errors import DefinitionError

_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_OF_LAMBDA = frozenset(
    {
        "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
    }
)  # fmt: skip
"""How Lambda wants environment variables to be named, and which it sets itself:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""


def own_part(deployment: Deployment) -> Part:
    """Return the resources that were added, and an output of the same name for each."""
    return Part(
        deployment.resources,
        {
            name: Output(f"{resource.type}, by its name or address", Ref(name))
            for name, resource in deployment.resources.items()
        },
    )


def check_own(deployment: Deployment, others: Part) -> None:
    """Raise DefinitionError for names that are taken, references that lead nowhere, and unfit variables."""
    where = f"deployment of '{deployment.contract.name}'"
    for name in deployment.resources:
        if name in others.resources or name in others.outputs:
            raise DefinitionError(where, f"the template has a '{name}' of its own", "choose another name")
    for name in _variables(deployment):
        if not _VARIABLE.fullmatch(name):
            raise DefinitionError(
                where, f"'{name}' is no environment variable", "write letters, digits and underscores"
            )
        if name in _OF_LAMBDA or name == "SERVICE" or name in durable_environment():
            raise DefinitionError(where, f"environment variable '{name}' is taken", "choose another name")
    parameters = PARAMETERS.keys() if deployment.options.alarms else ()
    there = {*deployment.resources, *others.resources, *parameters}
    for at, value in _values(deployment):
        for name in _names(value):
            if name not in there and not name.startswith("AWS::"):
                raise DefinitionError(
                    where,
                    f"{at} refers to '{name}', and no resource is named so",
                    f"add it: .add('{name}', ...)",
                )


def _variables(deployment: Deployment) -> Iterator[str]:
    yield from deployment.options.environment
    for chosen in deployment.configured.values():
        yield from chosen.get("environment", ())


def _values(deployment: Deployment) -> Iterator[tuple[str, Value]]:
    """Return everything that a deployment may refer to resources with, and where it says so."""
    for name, resource in deployment.resources.items():
        yield f"resource '{name}'", resource.properties
        yield f"resource '{name}'", [Ref(other) for other in resource.depends_on]
    given = [
        deployment.options.environment,
        *(c.get("environment", {}) for c in deployment.configured.values()),
    ]
    for variables in given:
        for name, value in variables.items():
            yield f"environment variable '{name}'", value
    permissions = [
        *deployment.options.permissions,
        *(allow for chosen in deployment.configured.values() for allow in chosen.get("permissions", ())),
        *(grant.permission for grant in deployment.grants),
    ]
    for allow in permissions:
        yield f"permission {list(allow.actions)}", list(allow.resources)


def _names(value: Value) -> Iterator[str]:
    """Return the resources, and pseudo parameters, that a value refers to."""
    match value:
        case Ref(name) | GetAtt(name):
            yield name
        case Sub(text):
            for placeholder in re.findall(r"\$\{([^!}][^}]*)\}", text):
                yield placeholder.partition(".")[0]
        case If(_, then, otherwise):
            yield from _names(then)
            yield from _names(otherwise)
        case str() | bool() | int() | float() | NotEmpty():
            return
        case Mapping():
            for item in value.values():
                yield from _names(item)
        case Sequence():
            for item in value:
                yield from _names(item)
