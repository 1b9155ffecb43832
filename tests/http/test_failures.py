"""Failures of commands over HTTP: declared ones with their fields, all others opaque."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
from pydantic import BaseModel

from service_kit import Refusal, Service, ServiceError, command
from tests.http.conftest import Ask


class Item(BaseModel):
    sku: str


class OutOfStock(ServiceError, status=409):
    sku: str


class SoldOut(OutOfStock):
    """A kind of it that nobody declares."""


class Undeclared(ServiceError, status=410):
    secret: str


@command(method="POST", path="/items", errors=[OutOfStock])
async def add(item: Item) -> Item:
    match item.sku:
        case "none":
            raise OutOfStock(sku=item.sku)
        case "sold":
            raise SoldOut(sku=item.sku)
        case "undeclared":
            raise Undeclared(secret="s3cret")
        case "broken":
            raise RuntimeError("s3cret")
        case "refused":
            raise Refusal(429, "slow down", headers={"Retry-After": "3"})
    return item


@command
async def wrong_result() -> Item:
    return {"sku": 3}  # type: ignore[return-value]  # the mistake is the test


@command
async def forgotten_result() -> Item:
    return None  # type: ignore[return-value]  # the mistake is the test


@command
async def no_result() -> Item | None:
    return None


class Shop(Service):
    """Sell things."""

    add = add
    wrong_result = wrong_result
    forgotten_result = forgotten_result
    no_result = no_result


def test_declared_error_has_its_status_and_fields(ask: Ask) -> None:
    response = ask(Shop, "POST", "/items", json={"sku": "none"})
    problem = response.json()
    assert response.status_code == problem["status"] == 409
    assert problem["type"] == "urn:problem-type:shop:OutOfStock"
    assert (problem["title"], problem["sku"]) == ("Out of stock", "none")


def test_a_kind_of_a_declared_error_travels_as_the_declared_one(ask: Ask) -> None:
    problem = ask(Shop, "POST", "/items", json={"sku": "sold"}).json()
    assert (problem["type"], problem["sku"]) == ("urn:problem-type:shop:OutOfStock", "sold")


@pytest.mark.parametrize("sku", ["broken", "undeclared"])
def test_any_other_failure_is_opaque_outside_and_logged_inside(
    ask: Ask, caplog: pytest.LogCaptureFixture, sku: str
) -> None:
    with caplog.at_level(logging.ERROR):
        response = ask(Shop, "POST", "/items", json={"sku": sku}, headers={"x-request-id": "req-7"})
    assert response.status_code == 500
    assert "s3cret" not in response.text
    assert response.json()["request_id"] == "req-7"
    record = caplog.records[-1]
    assert "req-7" in record.getMessage()
    assert "command 'add'" in record.getMessage()
    assert record.exc_info is not None
    if sku == "undeclared":
        assert "add it to errors=[...]" in record.getMessage()


def test_a_result_of_another_type_is_a_failure_of_the_service(ask: Ask) -> None:
    assert ask(Shop, "POST", "/rpc/wrong_result").status_code == 500
    assert ask(Shop, "POST", "/rpc/forgotten_result").status_code == 500
    assert ask(Shop, "POST", "/rpc/no_result").text == "null"


def test_refusal_answers_with_its_status_and_headers(ask: Ask) -> None:
    response = ask(Shop, "POST", "/items", json={"sku": "refused"})
    assert (response.status_code, response.headers["retry-after"]) == (429, "3")
    assert response.json()["detail"] == "slow down"


class Unreadable(ServiceError, status=409):
    scan: bytes


@command(errors=[Unreadable])
async def scan(how: str) -> None:
    if how == "field":
        raise Unreadable(scan=b"\xff")
    raise Refusal(429, "slow down", headers={"Retry-After": how})


@command(errors=[Unreadable])
async def scan_pages() -> AsyncIterator[int]:
    yield 1
    raise Unreadable(scan=b"\xff")


@command
async def count(items: list[Item]) -> int:
    return len(items)


class Scans(Service):
    scan = scan
    scan_pages = scan_pages
    count = count


@pytest.mark.parametrize("how", ["field", "soon\r\nset-cookie: admin=1", "\u20ac"])
def test_a_failure_that_cannot_be_told_is_an_opaque_one(ask: Ask, how: str) -> None:
    response = ask(Scans, "POST", "/rpc/scan", json={"how": how}, headers={"x-request-id": "r8"})
    assert response.status_code == 500
    assert response.json()["type"] == "urn:problem-type:service-kit:internal"
    assert response.json()["request_id"] == "r8"
    assert "set-cookie" not in response.headers


def test_a_stream_whose_error_cannot_be_told_ends_with_an_error_all_the_same(ask: Ask) -> None:
    text = ask(Scans, "POST", "/rpc/scan_pages").text
    assert text.startswith("data: 1\n\nevent: error\n")
    assert "urn:problem-type:service-kit:internal" in text


def test_a_body_with_thousands_of_errors_gets_a_short_answer(ask: Ask) -> None:
    response = ask(Scans, "POST", "/rpc/count", json={"items": [1] * 5000})
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"loc": ["body"], "msg": "5000 errors, too many to list", "type": "too_many_errors"}
    ]
    few = ask(Scans, "POST", "/rpc/count", json={"items": [1] * 50}).json()["errors"]
    assert (len(few), few[49]["loc"]) == (50, ["body", "items", 49])


def test_a_path_cannot_write_lines_of_its_own_into_the_log(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "service_kit.access"):
        ask(Scans, "GET", "/x%0A1.2.3.4%20GET%20/admin%20200%1B[2J")
    (line,) = [r.getMessage() for r in caplog.records if r.name == "service_kit.access"]
    assert line == "GET /x\\n1.2.3.4 GET /admin 200\\x1b[2J 404"


def test_an_error_that_only_has_the_name_of_a_declared_one_is_not_taken_for_it(ask: Ask) -> None:
    namesake = type("Unreadable", (ServiceError,), {"__annotations__": {"s3cret": str}})

    @command(errors=[Unreadable])
    async def confuse() -> None:
        raise namesake(s3cret="x")

    class Confused(Service):
        confuse_ = confuse

    response = ask(Confused, "POST", "/rpc/confuse_")
    assert response.status_code == 500
    assert "s3cret" not in response.text
