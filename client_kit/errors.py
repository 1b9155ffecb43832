"""The errors of `client_kit`, one tree.

Exception
├── ValueError
│   └── InvalidOption       a URL, key or header that cannot be sent; raised before anything is
└── CallError               a call failed, and its command did not answer with a declared error
    ├── ProblemError        the service, or something in front of it, answered with a failure
    ├── ContractDrift       the service and this client's contract no longer agree
    ├── AnswerTooLarge      the answer, or one item of a stream, is over the limit
    └── NetworkError        there was no whole answer
        ├── ConnectFailed   the request certainly never left
        ├── ConnectionLost  the request may have been executed
        └── CallTimeout     the call's time was over; also a TimeoutError

Declared errors are raised as their own classes, which belong to the service and not to this tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "AnswerTooLarge",
    "CallError",
    "CallTimeout",
    "ConnectFailed",
    "ConnectionLost",
    "ContractDrift",
    "InvalidOption",
    "NetworkError",
    "ProblemError",
]

EXCERPT = 300
"""Characters of somebody else's text that a message may hold."""


class InvalidOption(ValueError):
    """Say which option is wrong, why, and what to write instead."""

    def __init__(self, option: str, problem: str, cure: str) -> None:
        super().__init__(option, problem, cure)
        self.option = option
        self.problem = problem
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.option} {self.problem}; {self.cure}"


class CallError(Exception):
    """A call failed; `command` says which."""

    command: str = ""


class ProblemError(CallError):
    """The answer was a failure that the command does not declare: RFC 9457's members, and what came beside them."""

    def __init__(
        self,
        command: str,
        status: int,
        *,
        type: str = "about:blank",
        title: str = "",
        detail: str = "",
        request_id: str | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(command, status)
        self.command = command
        self.status = status
        self.type = type
        self.title = title
        self.detail = detail
        self.request_id = request_id
        self.members: Mapping[str, Any] = dict(members or {})

    def __str__(self) -> str:
        parts = [f"command '{self.command}': {self.status}"]
        # The detail of a declared error begins with the title.
        told_twice = bool(self.title) and self.detail.startswith(self.title)
        if self.title and not told_twice:
            parts.append(f" {excerpt(self.title)}")
        if self.detail:
            parts.append(f" {excerpt(self.detail)}" if told_twice else f": {excerpt(self.detail)}")
        if self.request_id:
            parts.append(f" (request id {excerpt(self.request_id)})")
        return "".join(parts)


class ContractDrift(CallError):
    """Service and contract differ: `fields` says where, and how, by the field's path."""

    def __init__(self, command: str, subject: str, fields: Mapping[str, str], cure: str) -> None:
        super().__init__(command, subject, fields, cure)
        self.command = command
        self.subject = subject
        self.fields: Mapping[str, str] = dict(fields)
        self.cure = cure

    def __str__(self) -> str:
        differences = "; ".join(f"'{path}' {how}" if path else how for path, how in self.fields.items())
        return f"command '{self.command}': {self.subject}: {differences}; {self.cure}"


class AnswerTooLarge(CallError):
    """The answer, or one item of a stream, is larger than `limit` bytes; nothing of it was kept."""

    def __init__(self, limit: int, command: str = "") -> None:
        super().__init__(limit, command)
        self.limit = limit
        self.command = command

    def __str__(self) -> str:
        return (
            f"command '{self.command}': the answer is larger than {self.limit} bytes; "
            "ask for less, or raise ClientOptions.max_answer_bytes"
        )


class NetworkError(CallError):
    """There was no whole answer, after `attempts` attempts."""

    hint = ""

    def __init__(self, reason: str, command: str = "", attempts: int = 1) -> None:
        super().__init__(reason, command, attempts)
        self.reason = reason
        self.command = command
        self.attempts = attempts

    def __str__(self) -> str:
        tries = f" (attempt {self.attempts})" if self.attempts > 1 else ""
        return f"command '{self.command}': {excerpt(self.reason)}{tries}{self.hint}"


class ConnectFailed(NetworkError):
    """There was no connection: the request certainly never left."""

    hint = "; check the URL, and that the service runs"


class ConnectionLost(NetworkError):
    """The connection ended before the answer did: the command may have been executed."""

    hint = "; it may have been executed: give calls an idempotency_key to have them retried safely"


class CallTimeout(NetworkError, TimeoutError):
    """The call's time was over: the command may have been executed."""

    hint = "; raise timeout_s if the command needs longer"


def excerpt(text: str) -> str:
    """Return the start of somebody else's text, on one line, for a message."""
    line = " ".join(text[: 2 * EXCERPT].split())
    printable = "".join(c if c.isprintable() else "?" for c in line)
    return printable if len(printable) <= EXCERPT else printable[:EXCERPT] + "..."
