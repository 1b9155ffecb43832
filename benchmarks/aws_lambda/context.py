"""What the Lambda runtime hands to a handler beside the event."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """The members of the runtime's context object that frameworks read."""

    function_name: str = "orders-place-order"
    function_version: str = "$LATEST"
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:orders-place-order"
    memory_limit_in_mb: int = 256
    aws_request_id: str = "8f507cfc-2a1c-4a8e-9d3c-1b1f0b5e7d11"
    log_group_name: str = "/aws/lambda/orders-place-order"
    log_stream_name: str = "2026/03/12/[$LATEST]0123456789abcdef"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left before the runtime stops the function."""
        return 29_000
