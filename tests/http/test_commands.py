"""Commands over HTTP: both faces, coercion, failures."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from service_kit import Header, Query, Service, command
from service_kit.http import HttpOptions
from tests.http.conftest import Ask


class Item(BaseModel):
    sku: str
    amount: Annotated[int, Field(ge=1)] = 1


@command(method="POST", path="/items")
async def add(item: Item) -> Item:
    return item


@command(method="GET", path="/items/{sku}")
def find(
    sku: str,
    day: date | None = None,
    tag: list[str] = [],  # noqa: B006 - nobody changes it
    size: Literal[1, 2] = 1,
    user_agent: Annotated[str, Header()] = "",
    deep: Annotated[bool, Query("deep-search")] = False,
) -> dict[str, Any]:
    return {"sku": sku, "day": day, "tag": tag, "size": size, "user_agent": user_agent, "deep": deep}


@command(method="PUT", path="/shops/{shop}/items/{sku}")
async def put(shop: int, sku: str, item: Item) -> str:
    return f"{shop}/{sku}: {item.amount}"


@command(method="DELETE", path="/items/{sku}")
async def remove(sku: str) -> None: ...


@command(method="GET", path="/items/special")
async def special() -> str:
    return "special"


@command
async def repeat(text: str, *, times: int = 2) -> str:
    return text * times


@command(timeout_s=0.01)
async def slow() -> None:
    await asyncio.Event().wait()


@command
async def own_timeout() -> None:
    raise TimeoutError("of somebody else")


@command
async def endless() -> None:
    await asyncio.Event().wait()


class Shop(Service):
    endless = endless
    """Sell things."""

    add = add
    find = find
    put = put
    remove = remove
    special = special
    repeat = repeat
    slow = slow
    own_timeout = own_timeout


def test_rpc_takes_parameters_by_name_and_answers_json(ask: Ask) -> None:
    response = ask(Shop, "POST", "/rpc/repeat", json={"text": "ab"})
    assert (response.status_code, response.json()) == (200, "abab")
    assert response.headers["content-type"] == "application/json"
    assert ask(Shop, "POST", "/rpc/repeat", json={"text": "ab", "times": 1}).json() == "ab"


def test_rpc_of_a_single_model_takes_the_model(ask: Ask) -> None:
    assert ask(Shop, "POST", "/rpc/add", json={"sku": "a"}).json() == {"sku": "a", "amount": 1}


def test_rpc_takes_path_query_and_header_parameters_in_the_body(ask: Ask) -> None:
    response = ask(Shop, "POST", "/rpc/find", json={"sku": "a", "day": "2026-01-31", "user_agent": "me"})
    assert response.json()["day"] == "2026-01-31"
    assert response.json()["user_agent"] == "me"


def test_command_that_returns_nothing_answers_204(ask: Ask) -> None:
    for response in (ask(Shop, "DELETE", "/items/a"), ask(Shop, "POST", "/rpc/remove", json={"sku": "a"})):
        assert (response.status_code, response.content) == (204, b"")


def test_rest_coerces_path_query_and_headers(ask: Ask) -> None:
    response = ask(
        Shop,
        "GET",
        "/items/a%2Fb%20c?day=2026-01-31&tag=x&tag=y&size=2&deep-search=true",
        headers={"user-agent": "me"},
    )
    assert response.json() == {
        "sku": "a/b c",
        "day": "2026-01-31",
        "tag": ["x", "y"],
        "size": 2,
        "user_agent": "me",
        "deep": True,
    }


def test_rest_joins_path_parameters_with_a_body_that_is_the_model(ask: Ask) -> None:
    assert ask(Shop, "PUT", "/shops/7/items/a", json={"sku": "a", "amount": 3}).json() == "7/a: 3"


def test_literal_path_wins_over_a_parameter(ask: Ask) -> None:
    assert ask(Shop, "GET", "/items/special").json() == "special"


def test_every_wrong_text_and_the_wrong_body_are_told_at_once(ask: Ask) -> None:
    response = ask(Shop, "PUT", "/shops/x/items/a?colour=red", json={"amount": 0})
    problem = response.json()
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:problem-type:service-kit:invalid-input"
    assert {tuple(e["loc"]): e["type"] for e in problem["errors"]} == {
        ("query", "colour"): "extra_forbidden",
        ("path", "shop"): "int_parsing",
        ("body", "sku"): "missing",
        ("body", "amount"): "greater_than_equal",
    }
    assert "and 3 more" in problem["detail"]


@pytest.mark.parametrize(("path", "loc", "kind"), [
    ("/items/a?size=3", ["query", "size"], "literal_error"),
    ("/items/a?day=soon", ["query", "day"], "date_from_datetime_parsing"),
    ("/items/a?size=1&size=2", ["query", "size"], "repeated"),
])  # fmt: skip
def test_wrong_query_is_located(ask: Ask, path: str, loc: list[str], kind: str) -> None:
    error = ask(Shop, "GET", path).json()["errors"][0]
    assert (error["loc"], error["type"]) == (loc, kind)


@pytest.mark.parametrize(("content", "status", "code"), [
    (b"{", 400, "malformed-json"),
    (b"\xff", 400, "malformed-json"),
    (b"", 422, "invalid-input"),
    (b"null", 422, "invalid-input"),
    (b'{"text": "a", "more": 1}', 422, "invalid-input"),
])  # fmt: skip
def test_bad_bodies_are_told_apart(ask: Ask, content: bytes, status: int, code: str) -> None:
    response = ask(Shop, "POST", "/rpc/repeat", content=content)
    assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (status, code)


def test_a_body_that_is_not_json_is_refused_and_named(ask: Ask) -> None:
    response = ask(Shop, "POST", "/rpc/repeat", content=b"text=a", headers={"content-type": "text/plain"})
    assert response.status_code == 415
    assert "'text/plain'" in response.json()["detail"]
    for content_type in ("application/json; charset=utf-8", "application/vnd.api+json"):
        headers = {"content-type": content_type}
        assert ask(Shop, "POST", "/rpc/repeat", content=b'{"text":"a"}', headers=headers).status_code == 200


def test_a_body_beyond_the_limit_is_refused_whether_announced_or_not(ask: Ask) -> None:
    options = HttpOptions(body_limit_bytes=10)

    async def chunks() -> Any:
        for _ in range(3):
            yield b"12345"

    for content in (b"x" * 11, chunks()):
        response = ask(Shop, "POST", "/rpc/repeat", content=content, options=options)
        assert (response.status_code, response.json()["type"]) == (
            413,
            "urn:problem-type:service-kit:too-large",
        )


def test_unknown_paths_and_methods_are_problems(ask: Ask) -> None:
    assert ask(Shop, "GET", "/nowhere").json()["status"] == 404
    assert ask(Shop, "GET", "/items/").json()["status"] == 404
    assert ask(Shop, "POST", "/rpc/nobody").json()["type"] == "urn:problem-type:service-kit:not-found"
    response = ask(Shop, "PATCH", "/items/a")
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == {"GET", "DELETE", "HEAD", "OPTIONS"}
    assert ask(Shop, "OPTIONS", "/items/a").headers["allow"] == response.headers["allow"]


def test_head_answers_as_get_without_the_body(ask: Ask) -> None:
    response = ask(Shop, "HEAD", "/items/special")
    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "9")


def test_past_its_timeout_a_command_is_a_504(ask: Ask) -> None:
    response = ask(Shop, "POST", "/rpc/slow")
    assert (response.status_code, response.json()["detail"]) == (504, "no answer within 0.01 s")


def test_the_callers_patience_shortens_the_timeout(ask: Ask) -> None:
    assert ask(Shop, "POST", "/rpc/slow", headers={"request-timeout-ms": "1"}).json()["detail"] == (
        "no answer within 0.001 s"
    )
    assert ask(Shop, "POST", "/rpc/slow", headers={"request-timeout-ms": "99999"}).json()["detail"] == (
        "no answer within 0.01 s"
    )
    assert (
        ask(Shop, "POST", "/rpc/repeat", json={"text": "a"}, headers={"request-timeout-ms": "500"}).json()
        == "aa"
    )
    for wrong in ("soon", "-1", "1.5", "٣"):
        response = ask(Shop, "POST", "/rpc/slow", headers={"request-timeout-ms": wrong.encode()})
        assert response.status_code == 400


def test_a_timeout_error_of_the_function_is_not_taken_for_ours(ask: Ask) -> None:
    assert ask(Shop, "POST", "/rpc/own_timeout", headers={"request-timeout-ms": "5000"}).status_code == 500


def test_request_id_is_the_callers_if_it_is_fit_for_a_log_and_new_otherwise(ask: Ask) -> None:
    def request_id(asked: str) -> str:
        return str(ask(Shop, "GET", "/healthz", headers={"x-request-id": asked}).headers["x-request-id"])

    assert request_id("abc-1.2_3") == "abc-1.2_3"
    for unfit in ("a b", "x" * 129, 'a"b', "a{b}"):
        assert request_id(unfit) != unfit
    application = Shop.asgi()
    assert len({ask(application, "GET", "/healthz").headers["x-request-id"] for _ in range(3)}) == 3


def test_no_caller_may_wait_longer_than_the_service_allows(ask: Ask) -> None:
    response = ask(
        Shop,
        "POST",
        "/rpc/endless",
        headers={"request-timeout-ms": "600000"},
        options=HttpOptions(max_timeout_s=0.01),
    )
    assert (response.status_code, response.json()["detail"]) == (504, "no answer within 0.01 s")
