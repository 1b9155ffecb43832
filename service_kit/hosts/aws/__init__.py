"""AWS Lambda entry points: `handler = lambda_handler(Orders)` in a module of yours, or, for a function whose `SERVICE`
is `orders:Orders`, the handler `service_kit.hosts.aws.handler`. No deployment, and no boto3 at import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service_kit.hosts.aws.entry import LambdaHandler as LambdaHandler
    from service_kit.hosts.aws.entry import lambda_handler as lambda_handler

    handler: LambdaHandler

__all__ = ["LambdaHandler", "lambda_handler"]


def __getattr__(name: str) -> Any:
    """Make what is asked for: the functions behind streams and queues, which are in this package, serve no HTTP."""
    if name in __all__:
        from service_kit.hosts.aws import entry

        made = getattr(entry, name)
    elif name == "handler":
        from service_kit.hosts.aws.environment import handler_from_environment

        # Kept, so that whoever asks again gets the same event loop and the same open lifespan.
        made = handler_from_environment()
    else:
        raise AttributeError(f"module 'service_kit.hosts.aws' has no attribute '{name}'")
    globals()[name] = made
    return made
