"""Typed services: commands, events and durable workflows as pydantic-typed functions.

The public names are loaded when they are first used: importing a contract imports no web framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service_kit.contract.at_rest import Codec as Codec
    from service_kit.contract.attribute import Attribute as Attribute
    from service_kit.contract.command import Command as Command
    from service_kit.contract.command import StreamCommand as StreamCommand
    from service_kit.contract.command import command as command
    from service_kit.contract.cors import Cors as Cors
    from service_kit.contract.event import Event as Event
    from service_kit.contract.event import Subscription as Subscription
    from service_kit.contract.event import emit_all as emit_all
    from service_kit.contract.event import subscription as subscription
    from service_kit.contract.exchange import Middleware as Middleware
    from service_kit.contract.exchange import Next as Next
    from service_kit.contract.exchange import Request as Request
    from service_kit.contract.exchange import Response as Response
    from service_kit.contract.exchange import current_request as current_request
    from service_kit.contract.parameters import Header as Header
    from service_kit.contract.parameters import Query as Query
    from service_kit.contract.plugin import AgentCard as AgentCard
    from service_kit.contract.plugin import AgentInterface as AgentInterface
    from service_kit.contract.plugin import Plugin as Plugin
    from service_kit.contract.plugin import PluginAuth as PluginAuth
    from service_kit.contract.prompt import Prompt as Prompt
    from service_kit.contract.prompt import prompt as prompt
    from service_kit.contract.security import ApiKey as ApiKey
    from service_kit.contract.security import AwsIam as AwsIam
    from service_kit.contract.security import Bearer as Bearer
    from service_kit.contract.security import IamCaller as IamCaller
    from service_kit.contract.security import Jwt as Jwt
    from service_kit.contract.security import OAuth as OAuth
    from service_kit.contract.service import AsgiMiddleware as AsgiMiddleware
    from service_kit.contract.service import Service as Service
    from service_kit.contract.signal import Signal as Signal
    from service_kit.contract.signal import State as State
    from service_kit.contract.task import Task as Task
    from service_kit.contract.task import complete_later as complete_later
    from service_kit.contract.task import heartbeat as heartbeat
    from service_kit.contract.task import heartbeat_details as heartbeat_details
    from service_kit.contract.task import idempotency_key as idempotency_key
    from service_kit.contract.task import task as task
    from service_kit.contract.task import task_token as task_token
    from service_kit.contract.waiting import condition as condition
    from service_kit.contract.waiting import duration as duration
    from service_kit.contract.waiting import until as until
    from service_kit.contract.workflow import Workflow as Workflow
    from service_kit.contract.workflow import workflow as workflow
    from service_kit.engine.retry import Retry as Retry
    from service_kit.errors import DefinitionError as DefinitionError
    from service_kit.errors import ExecutionExists as ExecutionExists
    from service_kit.errors import ExecutionNotFound as ExecutionNotFound
    from service_kit.errors import NonDeterminismError as NonDeterminismError
    from service_kit.errors import Refusal as Refusal
    from service_kit.errors import RemoteError as RemoteError
    from service_kit.errors import ServiceError as ServiceError
    from service_kit.errors import TaskFailed as TaskFailed
    from service_kit.errors import TimedOut as TimedOut
    from service_kit.errors import WorkflowCancelled as WorkflowCancelled
    from service_kit.errors import WorkflowFailed as WorkflowFailed
    from service_kit.errors import WorkflowTerminated as WorkflowTerminated
    from service_kit.hosts.local.host import LocalHost as LocalHost
    from service_kit.hosts.local.host import LocalOptions as LocalOptions
    from service_kit.stores.packed.codec import Zlib as Zlib

_HOMES = {
    "command": "service_kit.contract.command",
    "Command": "service_kit.contract.command",
    "StreamCommand": "service_kit.contract.command",
    "Service": "service_kit.contract.service",
    "ServiceError": "service_kit.errors",
    "WorkflowTerminated": "service_kit.errors",
    "WorkflowFailed": "service_kit.errors",
    "WorkflowCancelled": "service_kit.errors",
    "TimedOut": "service_kit.errors",
    "TaskFailed": "service_kit.errors",
    "RemoteError": "service_kit.errors",
    "NonDeterminismError": "service_kit.errors",
    "DefinitionError": "service_kit.errors",
    "Refusal": "service_kit.errors",
    "ExecutionExists": "service_kit.errors",
    "ExecutionNotFound": "service_kit.errors",
    "Header": "service_kit.contract.parameters",
    "Query": "service_kit.contract.parameters",
    "Request": "service_kit.contract.exchange",
    "Response": "service_kit.contract.exchange",
    "Middleware": "service_kit.contract.exchange",
    "Next": "service_kit.contract.exchange",
    "current_request": "service_kit.contract.exchange",
    "AsgiMiddleware": "service_kit.contract.service",
    "Cors": "service_kit.contract.cors",
    "Plugin": "service_kit.contract.plugin",
    "AgentCard": "service_kit.contract.plugin",
    "AgentInterface": "service_kit.contract.plugin",
    "PluginAuth": "service_kit.contract.plugin",
    "prompt": "service_kit.contract.prompt",
    "Prompt": "service_kit.contract.prompt",
    "Bearer": "service_kit.contract.security",
    "OAuth": "service_kit.contract.security",
    "Jwt": "service_kit.contract.security",
    "ApiKey": "service_kit.contract.security",
    "AwsIam": "service_kit.contract.security",
    "IamCaller": "service_kit.contract.security",
    "workflow": "service_kit.contract.workflow",
    "Workflow": "service_kit.contract.workflow",
    "task": "service_kit.contract.task",
    "Task": "service_kit.contract.task",
    "heartbeat": "service_kit.contract.task",
    "heartbeat_details": "service_kit.contract.task",
    "idempotency_key": "service_kit.contract.task",
    "task_token": "service_kit.contract.task",
    "complete_later": "service_kit.contract.task",
    "Signal": "service_kit.contract.signal",
    "State": "service_kit.contract.signal",
    "Attribute": "service_kit.contract.attribute",
    "Event": "service_kit.contract.event",
    "emit_all": "service_kit.contract.event",
    "subscription": "service_kit.contract.event",
    "Subscription": "service_kit.contract.event",
    "duration": "service_kit.contract.waiting",
    "until": "service_kit.contract.waiting",
    "condition": "service_kit.contract.waiting",
    "Retry": "service_kit.engine.retry",
    "Codec": "service_kit.contract.at_rest",
    "Zlib": "service_kit.stores.packed.codec",
    "LocalHost": "service_kit.hosts.local.host",
    "LocalOptions": "service_kit.hosts.local.host",
}

__all__ = list(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


if not TYPE_CHECKING:  # to a type checker it would make every misspelt name Any

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'service_kit' has no attribute '{name}'")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
