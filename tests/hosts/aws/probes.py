"""Services of single functions, to look at what surrounds a command."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from service_kit import Service, command
from service_kit.hosts.aws import LambdaHandler
from tests.hosts.aws.conftest import Context
from tests.hosts.aws.recorded import http_api_2


def service(*functions: Callable[..., Any]) -> type[Service]:
    """Return a service of these functions."""
    return type("Probe", (Service,), {function.__name__: command(function) for function in functions})


def call(handler: LambdaHandler, name: str, context: Context | None = None) -> Any:
    """Return the result of a command, or the problem that it is answered with."""
    answer = handler(http_api_2("POST", f"/rpc/{name}", body="{}"), context or Context())
    return json.loads(answer["body"]) if answer["body"] else None
