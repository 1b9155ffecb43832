"""Paths that are not quite what a route says: prefixes, encoded slashes, raw routes on a command's path."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from pydantic import Json

from service_kit import ApiKey, Cors, Service, command, current_request
from tests.http.conftest import Ask


@command(method="GET", path="/files/{name}")
async def read_file(name: str) -> str:
    return name


@command(method="GET", path="/files/a/b")
async def read_b() -> str:
    return "the file b in the folder a"


@command
async def take(inner: Json[int]) -> int:
    return inner


router = APIRouter()


@router.post("/files/{name}")
async def upload(name: str) -> str:
    return f"{current_request().method} {name}"


async def only_k(key: str) -> str | None:
    return key if key == "k" else None


class Files(Service, routes=[router]):
    read_file = read_file
    read_b = read_b
    take = take


class LockedFiles(Service, routes=[router], security=[ApiKey(only_k)], cors=Cors(["https://app.example"])):
    take = take


def under(root_path: str, path: str) -> Any:
    """Return the service as a server runs it that cuts a prefix off, or not, and tells which."""
    application = Files.asgi()

    async def server(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "root_path": root_path, "path": path}, receive, send)

    return server


def test_a_slash_inside_a_segment_is_not_one_between_two(ask: Ask) -> None:
    assert ask(Files, "GET", "/files/a%2Fb").json() == "a/b"
    assert ask(Files, "GET", "/files/a/b").json() == "the file b in the folder a"
    assert ask(Files, "POST", "/rpc%2Ftake", json={"inner": "1"}).status_code == 404


@pytest.mark.parametrize(("root_path", "path", "status"), [
    ("/shop", "/shop/files/x", 200),
    ("/shop", "/files/x", 200),
    ("/shop/", "/shop/files/x", 200),
    ("/", "/files/x", 200),
    ("/files", "/files/x", 404),
    ("/s", "/shop/files/x", 404),
    ("/fil", "/files/x", 200),
])  # fmt: skip
def test_a_prefix_ends_where_a_segment_does(ask: Ask, root_path: str, path: str, status: int) -> None:
    assert ask(under(root_path, path), "GET", path).status_code == status


def test_a_prefix_that_the_caller_chose_is_no_markup_of_the_page(ask: Ask) -> None:
    application = FastAPI()
    application.mount("/{tenant}", Files.asgi())
    page = ask(application, "GET", '/x"><img src=y onerror=alert(1)>/docs').text
    assert "<img" not in page
    document = ask(application, "GET", "/my shop/openapi.json").json()
    assert document["servers"][0]["url"] == "http://orders.test/my%20shop"


def test_a_raw_route_may_take_other_methods_of_a_commands_path(ask: Ask) -> None:
    assert ask(Files, "POST", "/files/x").json() == "POST x"
    assert ask(Files, "GET", "/files/x").json() == "x"
    assert ask(Files, "DELETE", "/files/x").status_code == 405


def test_pages_of_allowed_origins_may_read_refusals_of_raw_routes(ask: Ask) -> None:
    response = ask(LockedFiles, "POST", "/files/x", headers={"origin": "https://app.example"})
    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == "https://app.example"


def test_json_inside_of_a_body_that_is_none_is_invalid_input(ask: Ask) -> None:
    response = ask(Files, "POST", "/rpc/take", json={"inner": "{"})
    assert (response.status_code, response.json()["errors"][0]["loc"]) == (422, ["body", "inner"])
