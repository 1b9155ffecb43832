"""A call, without I/O: a generator that yields effects and returns the answer.

Encoding is done before it starts, so that wrong arguments never reach it. It authenticates, sends, maps what
comes back, and tries again where that is safe: the command is idempotent, the call has an idempotency key,
or the request certainly never left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from client_kit.answers import CONFLICT, check_stream, failure_of, result_of
from client_kit.auth import Auth
from client_kit.contracts import CommandContract
from client_kit.deadline import Deadline, OutOfTime
from client_kit.effects import Close, Flow, Send, Sleep
from client_kit.errors import (
    AnswerTooLarge,
    CallTimeout,
    ConnectFailed,
    NetworkError,
    ProblemError,
)
from client_kit.options import ClientOptions
from client_kit.retry import RETRIED_STATUSES, Retry, parse_retry_after
from client_kit.wire import Request, Response

_LONGEST_MS = 10**12 - 1
"""Services read twelve digits."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a client calls, whatever the command."""

    auth: Auth
    retry: Retry
    options: ClientOptions


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A command at a service, with all that is the same in each of its calls."""

    contract: CommandContract
    base_url: str
    """Of the service; `url` may hold arguments, which are nothing for messages."""
    url: str
    headers: Mapping[str, str]
    keyed: bool
    """Whether calls carry an idempotency key."""
    policy: Policy
    method: str = "POST"

    @property
    def repeatable(self) -> bool:
        return self.keyed or self.contract.idempotent


def call(endpoint: Endpoint, body: bytes, deadline: Deadline) -> Flow[Any]:
    """Return the result of a call; raise a declared error or a CallError."""
    response = yield from _exchange(endpoint, body, deadline, deadline)
    return result_of(endpoint.contract, response)


def open_stream(endpoint: Endpoint, body: bytes, deadline: Deadline, whole: Deadline) -> Flow[Response]:
    """Return the answer whose stream is open; raise a declared error or a CallError.

    `deadline` is for the opening, `whole` for the stream: that is what the service hears of.
    """
    response = yield from _exchange(endpoint, body, deadline, whole)
    check_stream(endpoint.contract, response)
    return response


def _exchange(endpoint: Endpoint, body: bytes, deadline: Deadline, told: Deadline) -> Flow[Response]:
    """Return the first answer with a 2xx status."""
    policy = endpoint.policy
    attempt = 1
    renewable = True
    pause_s: float | None = None
    while True:
        retry_after_s: float | None = None
        failure: Exception
        try:
            if pause_s is not None:
                yield Sleep(pause_s)
                attempt, pause_s = attempt + 1, None
            request, response = yield from _attempt(endpoint, body, deadline, told)
        except NetworkError as error:
            failure, transient = _named(error, endpoint, attempt), _may_resend(endpoint, error)
        except OutOfTime as error:
            raise _too_late(endpoint, deadline, attempt) from error
        except AnswerTooLarge as error:
            error.command = endpoint.contract.name
            raise
        else:
            if 200 <= response.status < 300:
                return response
            if response.status == 401 and renewable and policy.auth.rejected(request):
                renewable = False
                continue
            failure = failure_of(endpoint.contract, response, endpoint.base_url)
            transient = _may_repeat(endpoint, response, failure)
            retry_after_s = parse_retry_after(
                response.headers.get("retry-after"), policy.options.world.wall()
            )
        pause_s = policy.retry.pause_s(attempt, policy.options.world.random(), retry_after_s)
        if not transient or pause_s is None or not deadline.allows(pause_s):
            raise failure


def _attempt(
    endpoint: Endpoint, body: bytes, deadline: Deadline, told: Deadline
) -> Flow[tuple[Request, Response]]:
    options = endpoint.policy.options
    remaining_s = deadline.remaining_s()
    if remaining_s is not None and remaining_s <= 0:
        raise OutOfTime
    headers = dict(endpoint.headers)
    told_s = remaining_s if told is deadline else told.remaining_s()
    if told_s is not None:
        headers["request-timeout-ms"] = str(min(max(1, int(told_s * 1000)), _LONGEST_MS))
    request = Request(
        endpoint.url,
        headers,
        body,
        method=endpoint.method,
        streaming=endpoint.contract.streaming,
        timeout_s=remaining_s,
        max_answer_bytes=options.max_answer_bytes,
    )
    for on_request in options.on_request:
        request = on_request(request)
    request = yield from endpoint.policy.auth.authorize(request)
    response: Response = yield Send(request)
    try:
        for on_response in options.on_response:
            on_response(request, response)
    except BaseException:
        if response.stream is not None:
            yield Close(response.stream)
        raise
    return request, response


def _may_resend(endpoint: Endpoint, error: NetworkError) -> bool:
    return isinstance(error, ConnectFailed) or endpoint.repeatable


def _may_repeat(endpoint: Endpoint, response: Response, failure: Exception) -> bool:
    """Tell whether the same call may get a better answer, and does no harm.

    A declared error is the contract's own answer and a replayed one is kept: neither changes.
    """
    if not isinstance(failure, ProblemError) or response.headers.get("idempotent-replayed") == "true":
        return False
    if failure.type == CONFLICT:
        return endpoint.keyed
    return response.status in RETRIED_STATUSES and endpoint.repeatable


def _named(error: NetworkError, endpoint: Endpoint, attempt: int) -> NetworkError:
    if not error.command:  # otherwise it comes from a call that fetched a token
        error.command, error.attempts = endpoint.contract.name, attempt
    return error


def _too_late(endpoint: Endpoint, deadline: Deadline, attempt: int) -> CallTimeout:
    return CallTimeout(f"no answer within {deadline.timeout_s:g} s", endpoint.contract.name, attempt)
