"""What a page elsewhere can make a browser send, with its user's cookies: refused, unless CORS allows the page."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter

from service_kit import ApiKey, Cors, Service, command
from tests.http.conftest import Ask

runs: list[str] = []


async def known(cookie: str) -> str | None:
    return "ann" if cookie == "ann" else None


session: ApiKey[str] = ApiKey(known, "session", "cookie", "session")
router = APIRouter()


@router.post("/raw")
async def raw() -> str:
    runs.append("raw")
    return "raw"


@command(method="POST", path="/transfers")
async def transfer(amount: int = 1) -> int:
    runs.append("transfer")
    return amount


@command(method="POST", path="/accounts/{name}/close")
async def close(name: str) -> str:
    runs.append("close")
    return name


class Bank(Service, security=[session], routes=[router]):
    transfer = transfer
    close = close


class OpenBank(Service):
    """Whoever admits its callers by middleware, or by the network that they are in."""

    transfer = transfer
    close = close


class Allowing(Service, security=[session], cors=Cors(["https://app.example"], credentials=True)):
    transfer = transfer


class Public(Service, cors=Cors(["*"])):
    transfer = transfer


ELSEWHERE: list[dict[str, str]] = [
    {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    {"origin": "https://evil.orders.example", "sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://[", "sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "cross-site"},
]
PATHS = ["/rpc/transfer", "/transfers", "/accounts/a/close"]
COOKIE = {"cookie": "session=ann"}


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    runs.clear()


@pytest.mark.parametrize("page", ELSEWHERE)
@pytest.mark.parametrize("path", [*PATHS, "/raw"])
@pytest.mark.parametrize(
    "content", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_cookie_does_not_admit_what_a_page_elsewhere_made_the_browser_send(
    ask: Ask, page: dict[str, str], path: str, content: str | None
) -> None:
    headers = {**COOKIE, **page, **({"content-type": content} if content else {})}
    response = ask(Bank, "POST", path, headers=headers, content=b'{"amount": 5}' if content is None else b"")
    assert response.status_code == 401
    assert runs == []


@pytest.mark.parametrize("page", ELSEWHERE)
@pytest.mark.parametrize("path", PATHS)
def test_a_service_without_schemes_refuses_it_as_well(ask: Ask, page: dict[str, str], path: str) -> None:
    response = ask(OpenBank, "POST", path, headers=page)
    assert response.status_code == 415
    assert "cors=Cors(origins=[...])" in response.json()["detail"]
    assert runs == []


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"origin": "https://orders.test", "sec-fetch-site": "same-origin"},
        {"origin": "http://orders.test"},
        {"sec-fetch-site": "none"},
        {
            "origin": "http://localhost:5173",
            "sec-fetch-site": "cross-site",
        },  # in development: both are local names
    ],
)
def test_programs_and_the_services_own_pages_need_no_content_type(ask: Ask, own: dict[str, str]) -> None:
    for service in (Bank, OpenBank):
        for path in PATHS:
            assert ask(service, "POST", path, headers={**COOKIE, **own}).status_code == 200
    assert ask(Bank, "POST", "/raw", headers={**COOKIE, **own}).status_code == 200


def test_json_is_left_to_the_browsers_question_and_the_services_cors(ask: Ask) -> None:
    page = {**COOKIE, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert ask(Bank, "POST", "/transfers", headers=page, json={"amount": 5}).json() == 5
    question = {"origin": page["origin"], "access-control-request-method": "POST"}
    answer = ask(Allowing, "OPTIONS", "/transfers", headers=question)
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_that_cors_names_may_send_what_it_wants(ask: Ask) -> None:
    page: dict[str, Any] = {**COOKIE, "origin": "https://app.example", "sec-fetch-site": "cross-site"}
    assert ask(Allowing, "POST", "/transfers", headers=page).status_code == 200
    page["origin"] = "https://evil.example"
    assert ask(Allowing, "POST", "/transfers", headers=page).status_code == 401


def test_pages_of_everybody_may_call_but_not_in_the_name_of_their_visitors(ask: Ask) -> None:
    page = {"origin": "https://any.example", "sec-fetch-site": "cross-site"}
    assert ask(Public, "POST", "/transfers", headers=page).status_code == 200
    assert ask(Public, "POST", "/transfers", headers={**page, **COOKIE}).status_code == 415
