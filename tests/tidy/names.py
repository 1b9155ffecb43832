"""The public names of both packages: a change here is a change of the interface, and belongs into CHANGELOG.md."""

from __future__ import annotations

# fmt: off
PUBLIC = {
    "service_kit": [
        "Service", "command", "Command", "StreamCommand", "Header", "Query",
        "workflow", "Workflow", "Signal", "State", "Attribute", "duration", "until", "condition",
        "task", "Task", "Retry", "heartbeat", "heartbeat_details", "idempotency_key", "task_token", "complete_later",
        "Event", "emit_all", "subscription", "Subscription",
        "ServiceError", "DefinitionError", "Refusal", "RemoteError", "TaskFailed", "TimedOut", "NonDeterminismError",
        "WorkflowFailed", "WorkflowCancelled", "WorkflowTerminated", "ExecutionExists", "ExecutionNotFound",
        "Request", "Response", "current_request", "Middleware", "Next", "AsgiMiddleware", "Cors",
        "Plugin", "PluginAuth", "AgentCard", "AgentInterface", "OAuth",
        "prompt", "Prompt", "Bearer", "Jwt", "ApiKey", "AwsIam", "IamCaller",
        "LocalHost", "LocalOptions", "Codec", "Zlib",
    ],
    "client_kit": [
        "connect", "ServiceClient", "Connection", "BoundCommand", "BoundStream", "ClientOptions", "CallOptions",
        "Retry", "Auth", "BearerToken", "RefreshingToken", "Token", "ApiKeyAuth", "AwsSigV4",
        "Transport", "HttpxTransport", "AiohttpTransport", "InProcessTransport", "Request", "Response",
        "CallError", "ProblemError", "ContractDrift", "AnswerTooLarge", "InvalidOption",
        "NetworkError", "ConnectFailed", "ConnectionLost", "CallTimeout",
        "WorkflowFailed", "WorkflowCancelled", "WorkflowTerminated", "TimedOut", "RemoteError",
        "ExecutionNotFound", "ExecutionExists",
        "BoundWorkflow", "ExecutionHandle", "ExecutionInfo", "ExecutionStatus", "StartOptions",
        "manage", "Manager", "DeadLetter", "DeadLetterPage", "Discarded", "ExecutionPage", "HistoryPage",
        "ScheduleInfo",
    ],
}
# fmt: on

EXTRAS = {"AiohttpTransport"}
"""Those that need an extra, and are left out by `import *`."""
