"""Options of a client and of single calls, validated where they are given."""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

from client_kit.errors import InvalidOption
from client_kit.wire import Request, Response

__all__ = ["CallOptions", "ClientOptions", "RequestHook", "ResponseHook", "World"]

RequestHook: TypeAlias = Callable[[Request], Request]
"""Returns the request to send. Runs for every attempt, before authentication; must not block."""
ResponseHook: TypeAlias = Callable[[Request, Response], object]
"""Sees every answer. Must not block."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")
_RESERVED = frozenset(
    {"content-length", "transfer-encoding", "content-type", "accept", "host", "connection"}
    | {"request-timeout-ms", "idempotency-key", "accept-encoding"}
)


@dataclass(frozen=True, slots=True)
class World:
    """Where time and chance come from; tests give their own."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    poll_s: float = 20.0
    """How long one request may wait for an execution's end; a service on a network ends it after 20 s itself.

    `math.inf` where nothing cuts a request.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """What few clients need to set."""

    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Sent with every request."""
    on_request: Sequence[RequestHook] = ()
    on_response: Sequence[ResponseHook] = ()
    idle_timeout_s: float = 60.0
    """A stream that is silent for so long, without a heartbeat even, is taken for lost."""
    max_answer_bytes: int = 64 * 1024 * 1024
    """Of one answer, or of one item of a stream."""
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        for name, value in headers.items():
            _check_header(name, value)
        object.__setattr__(self, "headers", MappingProxyType(headers))
        if self.max_answer_bytes < 1:
            raise InvalidOption("max_answer_bytes", f"is {self.max_answer_bytes}", "give a positive number")
        check_timeout("idle_timeout_s", self.idle_timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """Options of single calls; None leaves what was set before."""

    timeout_s: float | None = None
    """For all attempts and the waits between them; `math.inf` for no limit."""
    idempotency_key: str | None = None
    """1 to 255 visible ASCII characters. Calls with a key are retried; the service executes a key once."""
    request_id: str | None = None
    """Shown in the service's log: 1 to 128 of `A-Za-z0-9._-`."""

    def __post_init__(self) -> None:
        if self.timeout_s is not None:
            check_timeout("timeout_s", self.timeout_s)
        if self.idempotency_key is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", self.idempotency_key):
            raise InvalidOption(
                "idempotency_key", "does not fit into a header", "use 1 to 255 visible ASCII characters"
            )
        if self.request_id is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", self.request_id):
            raise InvalidOption("request_id", "has characters that ids may not have", "use A-Za-z0-9._-")

    def merged(self, later: CallOptions) -> CallOptions:
        """Return these options with those that `later` sets."""
        given = {n: v for n in self.__slots__ if (v := getattr(later, n)) is not None}
        return replace(self, **given)

    def headers(self) -> dict[str, str]:
        """Return the options that travel as headers."""
        found: dict[str, str] = {}
        if self.idempotency_key is not None:
            found["idempotency-key"] = self.idempotency_key
        if self.request_id is not None:
            found["x-request-id"] = self.request_id
        return found


def check_timeout(name: str, value: float) -> None:
    """Raise InvalidOption unless it is a positive number of seconds; infinity is one."""
    if not value > 0:
        raise InvalidOption(name, f"is {value}", f"give seconds above zero, or {math.inf} for no limit")


def check_header_value(option: str, value: str) -> None:
    """Raise InvalidOption, without showing the value, if it could end the header and begin another."""
    if not _HEADER_VALUE.fullmatch(value):
        raise InvalidOption(
            option, "does not fit into a header", "use visible ASCII characters, and spaces between them"
        )


def _check_header(name: str, value: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise InvalidOption("headers", f"has {name!r}, which is no header's name", "use letters and dashes")
    if name in _RESERVED:
        raise InvalidOption("headers", f"sets '{name}', which the client sets itself", "take it out")
    check_header_value(f"headers['{name}']", value)
