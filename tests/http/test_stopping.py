"""What a caller is told whose request the end of the grace cuts off, wherever it is at that moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter

from service_kit import ApiKey, Service, command

router = APIRouter()
begun: list[str] = []


async def _wait(where: str) -> None:
    begun.append(where)
    await asyncio.Event().wait()


async def slow_verifier(key: str) -> str | None:
    await _wait("verifier")
    return key


@command
async def slow() -> None:
    await _wait("command")


@router.post("/raw")
async def raw() -> None:
    await _wait("raw")


class Open(Service, routes=[router]):
    slow = slow


class Locked(Service, routes=[router], security=[ApiKey(slow_verifier)]):
    slow = slow


@pytest.mark.parametrize(
    ("service", "path", "where"),
    [
        (Open, "/rpc/slow", "command"),
        (Open, "/raw", "raw"),
        (Locked, "/rpc/slow", "verifier"),
        (Locked, "/raw", "verifier"),
    ],
)
def test_a_request_that_is_cut_off_is_told_to_come_again_in_a_second(
    service: type[Service], path: str, where: str
) -> None:
    start, body = asyncio.run(_cut_off(service, path, where))
    assert start["status"] == 503
    assert (b"retry-after", b"1") in start["headers"]
    assert b"urn:problem-type:service-kit:stopping" in body["body"]


async def _cut_off(service: type[Service], path: str, where: str) -> list[Any]:
    """Cancel a request to a stopping service when it is there; return the messages of its answer."""
    application, sent = service.asgi(), list[Any]()
    begun.clear()
    headers = [(b"content-type", b"application/json"), (b"x-api-key", b"k")]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": headers}
    scope |= {"raw_path": path.encode(), "query_string": b"", "root_path": ""}

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    request = asyncio.create_task(application(scope, receive, send))
    while not begun:
        assert not request.done(), sent
        await asyncio.sleep(0)
    assert begun == [where]
    application.stopping = True
    request.cancel()
    await request
    return sent
