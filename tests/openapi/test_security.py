"""Security schemes in the document."""

from __future__ import annotations

from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification
from tests.openapi.shop import CornerShop
from tests.openapi.test_document import operations

DOCUMENT = build_specification(contract_of(CornerShop), url=None)
FOUND = operations(DOCUMENT)


def test_each_kind_of_scheme_is_a_component() -> None:
    assert DOCUMENT["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer", "description": "a token of the shop"},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-Shop-Key"},
        "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "awsIam": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
        "signed_link": {"type": "apiKey", "in": "query", "name": "signature"},
    }


def test_the_service_s_schemes_hold_for_every_command_that_says_nothing_else() -> None:
    assert DOCUMENT["security"] == [{"bearer": []}, {"apiKey": []}]
    assert "security" not in FOUND["get_order"]


def test_a_command_s_own_schemes_are_alternatives() -> None:
    assert FOUND["place_order"]["security"] == [{"jwt": []}, {"awsIam": []}]


def test_an_open_command_requires_nothing() -> None:
    assert FOUND["list_orders"]["security"] == []


def test_a_scheme_s_name_becomes_a_legal_one() -> None:
    assert FOUND["cancel_order"]["security"] == [{"signed_link": []}]
