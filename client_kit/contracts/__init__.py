"""Contracts: what the client reads of one, as Protocols, and the words in which published contracts are written.

Whoever fulfils the Protocols can be called: commands of `service_kit` do, and so does what `service-kit contract`
writes with the words of this package. Nothing here knows the server's side. The words are loaded when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from client_kit.contracts.protocols import CommandContract, ErrorContract, RestContract, RestRequest, rest_of

if TYPE_CHECKING:
    from client_kit.contracts.commands import Command as Command
    from client_kit.contracts.commands import StreamCommand as StreamCommand
    from client_kit.contracts.commands import command as command
    from client_kit.contracts.commands import stream as stream
    from client_kit.contracts.errors import DocumentedError as DocumentedError
    from client_kit.contracts.errors import ExecutionExists as ExecutionExists
    from client_kit.contracts.errors import ExecutionNotFound as ExecutionNotFound
    from client_kit.contracts.errors import RemoteError as RemoteError
    from client_kit.contracts.errors import ServiceError as ServiceError
    from client_kit.contracts.errors import TimedOut as TimedOut
    from client_kit.contracts.errors import WorkflowCancelled as WorkflowCancelled
    from client_kit.contracts.errors import WorkflowFailed as WorkflowFailed
    from client_kit.contracts.errors import WorkflowTerminated as WorkflowTerminated
    from client_kit.contracts.messages import Event as Event
    from client_kit.contracts.messages import Signal as Signal
    from client_kit.contracts.messages import SparseModel as SparseModel
    from client_kit.contracts.messages import State as State
    from client_kit.contracts.parameters import OMITTED as OMITTED
    from client_kit.contracts.parameters import Body as Body
    from client_kit.contracts.parameters import Cookie as Cookie
    from client_kit.contracts.parameters import Header as Header
    from client_kit.contracts.parameters import Path as Path
    from client_kit.contracts.parameters import Query as Query
    from client_kit.contracts.rest import RestService as RestService
    from client_kit.contracts.service import Service as Service
    from client_kit.contracts.workflows import Workflow as Workflow
    from client_kit.contracts.workflows import workflow as workflow

_HOMES = {
    "Service": "client_kit.contracts.service",
    "RestService": "client_kit.contracts.rest",
    "command": "client_kit.contracts.commands",
    "stream": "client_kit.contracts.commands",
    "Command": "client_kit.contracts.commands",
    "StreamCommand": "client_kit.contracts.commands",
    "workflow": "client_kit.contracts.workflows",
    "Workflow": "client_kit.contracts.workflows",
    "Signal": "client_kit.contracts.messages",
    "State": "client_kit.contracts.messages",
    "Event": "client_kit.contracts.messages",
    "SparseModel": "client_kit.contracts.messages",
    "Body": "client_kit.contracts.parameters",
    "Header": "client_kit.contracts.parameters",
    "Query": "client_kit.contracts.parameters",
    "Path": "client_kit.contracts.parameters",
    "Cookie": "client_kit.contracts.parameters",
    "OMITTED": "client_kit.contracts.parameters",
    "ServiceError": "client_kit.contracts.errors",
    "DocumentedError": "client_kit.contracts.errors",
    "ExecutionNotFound": "client_kit.contracts.errors",
    "ExecutionExists": "client_kit.contracts.errors",
    "RemoteError": "client_kit.contracts.errors",
    "WorkflowFailed": "client_kit.contracts.errors",
    "WorkflowCancelled": "client_kit.contracts.errors",
    "WorkflowTerminated": "client_kit.contracts.errors",
    "TimedOut": "client_kit.contracts.errors",
}

__all__ = ["CommandContract", "ErrorContract", "RestContract", "RestRequest", "rest_of", *_HOMES]  # pyright: ignore[reportUnsupportedDunderAll]


if not TYPE_CHECKING:  # to a type checker it would make every misspelt name Any

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'client_kit.contracts' has no attribute '{name}'")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
