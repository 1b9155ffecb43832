"""The resources of one function: itself, its log group, its role, its alarms."""

from __future__ import annotations

from service_kit.deploy.alarms import alarm
from service_kit.deploy.deployment import Deployment, DeploymentOptions
from service_kit.deploy.permissions import TRACE_PERMISSIONS, log_permissions, role
from service_kit.deploy.planning import PlannedFunction
from service_kit.deploy.template import Output, Part, Resource
from service_kit.deploy.values import GetAtt, Ref, Sub, Value
from service_kit.errors import DefinitionError

SOURCE_FOLDER = "src/"
"""Beside the template: what `service-kit deploy` puts together, and `sam build` builds."""


def function_id(function: PlannedFunction) -> str:
    """Return the logical id of a function."""
    return f"{function.name}Function"


def invocation_uri(function: PlannedFunction) -> Sub:
    """Return the URI by which API Gateway calls a function."""
    path = f"lambda:path/2015-03-31/functions/${{{function_id(function)}.Arn}}/invocations"
    return Sub(f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:{path}")


def function_part(deployment: Deployment, function: PlannedFunction) -> Part:
    """Return everything of one function."""
    name, options = function.name, deployment.options
    function_name, role_name, logs_name = function_id(function), f"{name}Role", f"{name}Logs"
    statements = [log_permissions(logs_name)]
    if options.tracing:
        statements.append(TRACE_PERMISSIONS)
    resources = {
        function_name: Resource("AWS::Serverless::Function", _properties(deployment, function)),
        role_name: role([*statements, *function.permissions]),
        logs_name: Resource("AWS::Logs::LogGroup", {"RetentionInDays": options.log_retention_days}),
    }
    if options.alarms:
        resources |= _alarms(function_name, name)
    outputs = {
        function_name: Output(function.description, Ref(function_name)),
        logs_name: Output(f"Log group of {name}", Ref(logs_name)),
    }
    return Part(resources, outputs)


def service_path(deployment: Deployment) -> str:
    """Return `module:Class`, from which a function finds the service; raise DefinitionError if it cannot."""
    service = deployment.service
    if "<locals>" in service.__qualname__ or "." in service.__qualname__ or service.__module__ == "__main__":
        raise DefinitionError(
            f"deployment of '{deployment.contract.name}'",
            f"a function cannot import {service.__module__}:{service.__qualname__}",
            "define the service at the top of a module",
        )
    return f"{service.__module__}:{service.__qualname__}"


def _properties(deployment: Deployment, function: PlannedFunction) -> dict[str, Value]:
    options: DeploymentOptions = deployment.options
    properties: dict[str, Value] = {
        "Description": function.description,
        "CodeUri": SOURCE_FOLDER,
        "Handler": function.handler,
        "Runtime": options.runtime,
        "Architectures": [options.architecture],
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout_s,
        "Role": GetAtt(f"{function.name}Role"),
        "LoggingConfig": {"LogGroup": Ref(f"{function.name}Logs")},
        "Environment": {"Variables": {**function.environment, "SERVICE": service_path(deployment)}},
    }
    if function.concurrency is not None:
        properties["ReservedConcurrentExecutions"] = function.concurrency
    if options.tracing:
        properties["Tracing"] = "Active"
    return properties


def _alarms(function_name: str, name: str) -> dict[str, Resource]:
    dimensions = {"FunctionName": Ref(function_name)}
    return {
        f"{name}Errors": alarm(
            f"{name} ended without an answer: it crashed, ran out of time or memory, or could not be imported",
            ("AWS/Lambda", "Errors"),
            dimensions,
        ),
        f"{name}Throttles": alarm(
            f"Calls of {name} were refused: its concurrency, or the account's, is used up",
            ("AWS/Lambda", "Throttles"),
            dimensions,
        ),
    }
