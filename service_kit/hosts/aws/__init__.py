"""AWS Lambda entry points: `handler = lambda_handler(Orders)` in a module of yours, or, for a function whose `SERVICE`
is `orders:Orders`, the handler `service_kit.hosts.aws.handler`. No deployment, and no boto3 at import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service_kit.hosts.aws.entry import LambdaHandler, lambda_handler

if TYPE_CHECKING:
    handler: LambdaHandler

__all__ = ["LambdaHandler", "lambda_handler"]


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module 'service_kit.hosts.aws' has no attribute '{name}'")
    from service_kit.hosts.aws.environment import handler_from_environment

    # Kept, so that whoever asks again gets the same event loop and the same open lifespan.
    globals()["handler"] = made = handler_from_environment()
    return made
