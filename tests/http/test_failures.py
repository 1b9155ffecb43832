"""Failures of commands over HTTP: declared ones with their fields, all others opaque."""

from __future__ import annotations

import logging

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


class Shop(Service):
    """Sell things."""

    add = add
    wrong_result = wrong_result


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


def test_refusal_answers_with_its_status_and_headers(ask: Ask) -> None:
    response = ask(Shop, "POST", "/items", json={"sku": "refused"})
    assert (response.status_code, response.headers["retry-after"]) == (429, "3")
    assert response.json()["detail"] == "slow down"
