"""Handlers of services, and one way to ask them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from service_kit import Service
from service_kit.hosts.aws import LambdaHandler, lambda_handler
from tests.hosts.aws.recorded import SOURCES, Event


@dataclass
class Context:
    """The members of the runtime's context object that matter here."""

    aws_request_id: str = "8f507cfc-2a1c-4a8e-9d3c-1b1f0b5e7d11"
    remaining_ms: int = 30_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


class Answer:
    """A handler's answer, read as API Gateway reads it."""

    def __init__(self, raw: dict[str, Any]) -> None:
        json.dumps(raw)  # the runtime does so, too
        self.raw = raw
        self.status: int = raw["statusCode"]
        self.body: bytes = base64.b64decode(raw["body"]) if raw["isBase64Encoded"] else raw["body"].encode()
        repeated: dict[str, list[str]] = raw.get("multiValueHeaders", {})
        self.headers: dict[str, str] = raw.get("headers", {}) | {k: ", ".join(v) for k, v in repeated.items()}

    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Answer]
Source = Callable[..., Event]


@pytest.fixture(params=list(SOURCES))
def source(request: pytest.FixtureRequest) -> Source:
    """Make events of each source."""
    return SOURCES[request.param]


@pytest.fixture
def handler_of() -> Iterator[Callable[..., LambdaHandler]]:
    """Make handlers of services, and close them after the test."""
    made: list[LambdaHandler] = []

    def make(service: type[Service], **options: Any) -> LambdaHandler:
        made.append(lambda_handler(service, **options))
        return made[-1]

    yield make
    for handler in made:
        handler.close()


@pytest.fixture
def ask(handler_of: Callable[..., LambdaHandler]) -> Ask:
    """Call a service, or a handler that exists, with an event."""

    def ask(target: type[Service] | LambdaHandler, event: dict[str, Any], context: Any = None) -> Answer:
        handler = target if isinstance(target, LambdaHandler) else handler_of(target)
        return Answer(handler(event, context or Context()))

    return ask
