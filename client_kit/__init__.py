"""Typed clients of services: `async with connect(Orders, url) as client: await client.place_order("sku-1")`.

Nothing of `service_kit` is imported here; a contract is read through the Protocols in `client_kit.contracts`.
The public names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from client_kit.auth import Auth as Auth
    from client_kit.auth.api_key import ApiKeyAuth as ApiKeyAuth
    from client_kit.auth.sigv4 import AwsSigV4 as AwsSigV4
    from client_kit.auth.tokens import BearerToken as BearerToken
    from client_kit.auth.tokens import RefreshingToken as RefreshingToken
    from client_kit.auth.tokens import Token as Token
    from client_kit.bound import BoundCommand as BoundCommand
    from client_kit.bound import BoundStream as BoundStream
    from client_kit.connection import Connection as Connection
    from client_kit.connection import ServiceClient as ServiceClient
    from client_kit.connection import connect as connect
    from client_kit.contracts.errors import ExecutionExists as ExecutionExists
    from client_kit.contracts.errors import ExecutionNotFound as ExecutionNotFound
    from client_kit.contracts.errors import RemoteError as RemoteError
    from client_kit.contracts.errors import TimedOut as TimedOut
    from client_kit.contracts.errors import WorkflowCancelled as WorkflowCancelled
    from client_kit.contracts.errors import WorkflowFailed as WorkflowFailed
    from client_kit.contracts.errors import WorkflowTerminated as WorkflowTerminated
    from client_kit.errors import AnswerTooLarge as AnswerTooLarge
    from client_kit.errors import CallError as CallError
    from client_kit.errors import CallTimeout as CallTimeout
    from client_kit.errors import ConnectFailed as ConnectFailed
    from client_kit.errors import ConnectionLost as ConnectionLost
    from client_kit.errors import ContractDrift as ContractDrift
    from client_kit.errors import InvalidOption as InvalidOption
    from client_kit.errors import NetworkError as NetworkError
    from client_kit.errors import ProblemError as ProblemError
    from client_kit.executions import ExecutionHandle as ExecutionHandle
    from client_kit.executions import ExecutionInfo as ExecutionInfo
    from client_kit.executions import ExecutionStatus as ExecutionStatus
    from client_kit.executions import StartOptions as StartOptions
    from client_kit.letters import DeadLetter as DeadLetter
    from client_kit.letters import DeadLetterPage as DeadLetterPage
    from client_kit.letters import Discarded as Discarded
    from client_kit.management import ExecutionPage as ExecutionPage
    from client_kit.management import HistoryPage as HistoryPage
    from client_kit.management import Manager as Manager
    from client_kit.management import ScheduleInfo as ScheduleInfo
    from client_kit.management import manage as manage
    from client_kit.options import CallOptions as CallOptions
    from client_kit.options import ClientOptions as ClientOptions
    from client_kit.retry import Retry as Retry
    from client_kit.transports import Transport as Transport
    from client_kit.transports.aiohttp import AiohttpTransport as AiohttpTransport
    from client_kit.transports.asgi import InProcessTransport as InProcessTransport
    from client_kit.transports.httpx import HttpxTransport as HttpxTransport
    from client_kit.wire import Request as Request
    from client_kit.wire import Response as Response
    from client_kit.workflows import BoundWorkflow as BoundWorkflow

_HOMES = {
    "connect": "client_kit.connection",
    "ServiceClient": "client_kit.connection",
    "Connection": "client_kit.connection",
    "BoundCommand": "client_kit.bound",
    "BoundStream": "client_kit.bound",
    "ClientOptions": "client_kit.options",
    "CallOptions": "client_kit.options",
    "Retry": "client_kit.retry",
    "Auth": "client_kit.auth",
    "BearerToken": "client_kit.auth.tokens",
    "RefreshingToken": "client_kit.auth.tokens",
    "Token": "client_kit.auth.tokens",
    "ApiKeyAuth": "client_kit.auth.api_key",
    "AwsSigV4": "client_kit.auth.sigv4",
    "Transport": "client_kit.transports",
    "HttpxTransport": "client_kit.transports.httpx",
    "AiohttpTransport": "client_kit.transports.aiohttp",
    "InProcessTransport": "client_kit.transports.asgi",
    "Request": "client_kit.wire",
    "Response": "client_kit.wire",
    "CallError": "client_kit.errors",
    "ProblemError": "client_kit.errors",
    "ContractDrift": "client_kit.errors",
    "AnswerTooLarge": "client_kit.errors",
    "NetworkError": "client_kit.errors",
    "ConnectFailed": "client_kit.errors",
    "ConnectionLost": "client_kit.errors",
    "CallTimeout": "client_kit.errors",
    "InvalidOption": "client_kit.errors",
    "WorkflowFailed": "client_kit.contracts.errors",
    "WorkflowCancelled": "client_kit.contracts.errors",
    "WorkflowTerminated": "client_kit.contracts.errors",
    "TimedOut": "client_kit.contracts.errors",
    "RemoteError": "client_kit.contracts.errors",
    "ExecutionNotFound": "client_kit.contracts.errors",
    "ExecutionExists": "client_kit.contracts.errors",
    "BoundWorkflow": "client_kit.workflows",
    "ExecutionHandle": "client_kit.executions",
    "ExecutionInfo": "client_kit.executions",
    "ExecutionStatus": "client_kit.executions",
    "StartOptions": "client_kit.executions",
    "manage": "client_kit.management",
    "Manager": "client_kit.management",
    "ScheduleInfo": "client_kit.management",
    "DeadLetter": "client_kit.letters",
    "DeadLetterPage": "client_kit.letters",
    "Discarded": "client_kit.letters",
    "ExecutionPage": "client_kit.management",
    "HistoryPage": "client_kit.management",
}

# What needs an extra is taken by its name: `import *` would fail wherever the extra is not installed.
__all__ = [name for name in _HOMES if name != "AiohttpTransport"]  # pyright: ignore[reportUnsupportedDunderAll]


if not TYPE_CHECKING:  # to a type checker it would make every misspelt name Any

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'client_kit' has no attribute '{name}'")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
