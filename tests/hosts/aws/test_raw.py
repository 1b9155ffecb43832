from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Callable, MutableMapping
from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from service_kit import AsgiMiddleware, Service, command
from service_kit.hosts.aws import LambdaHandler
from tests.hosts.aws.conftest import Ask, Context, Source
from tests.hosts.aws.recorded import API_HOST, http_api_2, rest_api

router = APIRouter()


@router.get("/raw/{name}")
async def read_raw(name: str, request: Request) -> dict[str, Any]:
    return {
        "name": name,
        "url": str(request.url),
        "query": request.query_params.getlist("q"),
        "event": request.scope["aws.event"]["isBase64Encoded"],
        "context": request.scope["aws.context"].aws_request_id,
    }


@router.post("/raw")
async def upload(request: Request) -> int:
    return len(await request.body())


@router.get("/slow")
async def slow() -> None:
    await asyncio.Event().wait()


@router.get("/endless")
async def endless() -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1024 * 1024

    return StreamingResponse(pieces())


@router.get("/broken")
async def broken() -> None:
    raise RuntimeError("secret")


@command(method="GET")
async def greet() -> str:
    return "hello"


class Mixed(Service, routes=[router]):
    greet = greet


class Stamp:
    """ASGI middleware that marks answers."""

    def __init__(self, application: Any, name: str) -> None:
        self.application = application
        self.name = name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def marked(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-stamp", self.name.encode())]
            await send(message)

        await self.application(scope, receive, marked)


class Layered(Service, routes=[router], use=[AsgiMiddleware(Stamp, name="stamped")]):
    greet = greet


def test_raw_routes_are_served_beside_commands(ask: Ask, source: Source) -> None:
    assert ask(Mixed, source("GET", "/greet")).json() == "hello"
    event = source("GET", "/raw/a b", query="q=1&q=2")
    answer = ask(Mixed, event)
    assert (answer.status, answer.json()["name"], answer.json()["query"]) == (200, "a b", ["1", "2"])
    assert answer.json()["context"] == Context().aws_request_id
    assert answer.headers["x-request-id"] == Context().aws_request_id
    assert answer.headers["content-type"] == "application/json"


def test_a_raw_route_knows_the_url_of_the_stage(ask: Ask) -> None:
    for event in (rest_api("GET", "/raw/x"), http_api_2("GET", "/raw/x", stage="prod")):
        assert ask(Mixed, event).json()["url"].partition("?")[0] == f"https://{API_HOST}/prod/raw/x"


def test_a_raw_route_gets_the_body(ask: Ask, source: Source) -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    assert ask(Mixed, source("POST", "/raw", body=body, isBase64Encoded=True)).json() == 2
    assert ask(Mixed, source("POST", "/raw", body="x" * (4 * 1024 * 1024 + 1))).status == 413


def test_a_path_that_neither_has_is_a_problem_with_the_request_id(ask: Ask, source: Source) -> None:
    answer = ask(Mixed, source("GET", "/nowhere"))
    assert (answer.status, answer.json()["request_id"]) == (404, Context().aws_request_id)


def test_asgi_middleware_is_around_commands_and_raw_routes(ask: Ask, source: Source) -> None:
    for path in ("/greet", "/raw/a", "/nowhere", "/openapi.json"):
        assert ask(Layered, source("GET", path)).headers["x-stamp"] == "stamped"
    assert ask(Layered, source("GET", "/greet")).json() == "hello"


def test_a_raw_route_that_waits_too_long_is_answered_before_the_function_ends(
    ask: Ask, handler_of: Callable[..., LambdaHandler]
) -> None:
    for service in (Mixed, Layered):
        answer = ask(handler_of(service), http_api_2("GET", "/slow"), Context(remaining_ms=320))
        assert (answer.status, answer.json()["type"]) == (504, "urn:problem-type:service-kit:timeout")


def test_a_raw_answer_larger_than_lambda_carries_is_a_problem(
    ask: Ask, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = ask(Mixed, source("GET", "/endless"))
    assert (answer.status, answer.json()["type"]) == (500, "urn:problem-type:service-kit:internal")
    assert "page it" in caplog.text


def test_a_raw_route_that_fails_says_nothing_of_the_inside(ask: Ask, source: Source) -> None:
    answer = ask(Mixed, source("GET", "/broken"))
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert ask(Mixed, source("GET", "/greet")).json() == "hello"
