"""How the simulated AWS says no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class AwsError(Exception):
    """What botocore raises for an answer that is an error, as far as callers look at it."""

    def __init__(self, code: str, message: str = "", reasons: Sequence[str] = ()) -> None:
        super().__init__(f"An error occurred ({code}): {message}")
        self.response: dict[str, Any] = {"Error": {"Code": code, "Message": message}}
        if reasons:
            self.response["CancellationReasons"] = [{"Code": reason} for reason in reasons]


class NoAnswer(Exception):
    """What botocore raises when no answer came in time, however often it asked."""


class Unmodelled(NotImplementedError):
    """The simulated AWS does not know what it was asked; it is to be taught, by the documentation."""


def check(condition: bool, message: str) -> None:
    """Raise what DynamoDB answers to a request that it does not take, unless the condition holds."""
    if not condition:
        raise AwsError("ValidationException", message)
