"""Parameters and bodies: what a caller sends, and where."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field, PlainSerializer

from service_kit import Header, Query, Service, command
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification
from tests.openapi.shop import CornerShop
from tests.openapi.test_document import operations

FOUND = operations(build_specification(contract_of(CornerShop), url=None, include_rpc=True))


def parameter(operation_id: str, name: str) -> dict[str, Any]:
    [found] = [p for p in FOUND[operation_id]["parameters"] if p["name"] == name]
    return dict(found)


def body(operation: dict[str, Any]) -> dict[str, Any]:
    return dict(operation["requestBody"]["content"]["application/json"]["schema"])


def test_a_path_parameter_is_required() -> None:
    assert parameter("get_order", "order_id") == {
        "name": "order_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }


def test_an_optional_query_parameter_is_its_type_without_null() -> None:
    assert parameter("list_orders", "status") == {
        "name": "status",
        "in": "query",
        "required": False,
        "description": "only these",
        "schema": {"$ref": "#/components/schemas/Status"},
    }


def test_no_text_parameter_mentions_null() -> None:
    for operation in FOUND.values():
        for found in operation.get("parameters", ()):
            assert "null" not in str(found["schema"])


def test_bounds_defaults_and_examples_of_a_query_parameter_are_shown() -> None:
    assert parameter("list_orders", "limit") == {
        "name": "limit",
        "in": "query",
        "required": False,
        "description": "how many",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20, "examples": [10]},
    }
    assert parameter("list_orders", "since")["schema"]["default"] == "2024-01-01"


def test_an_enum_with_a_default_is_spelt_out() -> None:
    schema = parameter("list_orders", "grade")["schema"]
    assert schema == {"title": "Grade", "type": "integer", "enum": [1, 2], "default": 1}


def test_a_list_in_the_query_is_repeated() -> None:
    found = parameter("list_orders", "sku")
    assert (found["style"], found["explode"]) == ("form", True)
    assert found["schema"] == {"type": "array", "items": {"type": "string"}, "maxItems": 5}


def test_a_decimal_in_the_query_is_a_number() -> None:
    assert parameter("list_orders", "price")["schema"] == {"type": "number"}


def test_a_deprecated_parameter_says_so() -> None:
    found = parameter("list_orders", "old")
    assert found["deprecated"] is True
    assert found["schema"] == {"type": "string"}


def test_a_header_has_its_wire_name() -> None:
    assert parameter("list_orders", "trace-id")["in"] == "header"
    assert parameter("place_order", "x-token")["schema"] == {"type": "string", "default": "none"}


def test_a_body_is_an_object_of_what_is_left() -> None:
    schema = body(FOUND["place_order"])
    assert list(schema["properties"]) == [
        "lines",
        "payment",
        "ship_to",
        "express",
        "tags",
        "until",
        "attempts",
    ]
    assert schema["required"] == ["lines", "payment"]
    assert schema["additionalProperties"] is False
    assert FOUND["place_order"]["requestBody"]["required"] is True


def test_defaults_of_a_body_are_shown_as_json_of_their_types() -> None:
    properties = body(FOUND["place_order"])["properties"]
    assert properties["express"]["default"] is False
    assert properties["tags"]["default"] == ["a", "b", "c"]
    assert properties["until"]["default"] == "2030-01-01T00:00:00Z"
    assert properties["ship_to"] == {
        "anyOf": [{"$ref": "#/components/schemas/Address"}, {"type": "null"}],
        "default": None,
    }


def test_a_default_that_a_caller_could_not_send_is_not_shown() -> None:
    assert body(FOUND["place_order"])["properties"]["attempts"] == {"type": "integer", "minimum": 1}


def test_one_model_is_the_body_itself() -> None:
    assert body(FOUND["put_order"]) == {"$ref": "#/components/schemas/shop_Order-Input"}
    assert body(FOUND["categories"]) == {"$ref": "#/components/schemas/Category"}


def test_one_model_with_a_default_may_be_left_out() -> None:
    assert "required" not in FOUND["send_parcel"]["requestBody"]
    assert body(FOUND["send_parcel"])["default"] == {"weight_g": 1, "size_cm": [1.0, 1.0, 1.0], "tags": []}


def test_the_rpc_body_has_every_parameter() -> None:
    schema = body(FOUND["rpc_list_orders"])
    assert list(schema["properties"]) == [
        "status", "grade", "sku", "since", "limit", "price", "old", "trace_id",
    ]  # fmt: skip
    assert schema["properties"]["old"]["deprecated"] is True
    assert "required" not in schema
    assert "parameters" not in FOUND["rpc_list_orders"]


def test_a_command_without_parameters_takes_no_body() -> None:
    assert "requestBody" not in FOUND["ping"]


def test_defaults_are_encoded_through_serializers_and_aliases() -> None:
    class Range(BaseModel):
        low: Annotated[int, Field(alias="from")] = 0

    @command
    async def search(
        size: Annotated[int, Field(alias="pageSize"), PlainSerializer(lambda n: n)] = 5,
        between: Range = Range(),  # noqa: B008 - what is tested
        price: Decimal = Decimal("1.50"),
        wait: dt.timedelta = dt.timedelta(minutes=1),
        infinite: float = float("inf"),
        wrong: int = "no number",  # type: ignore[assignment]  # what is tested
    ) -> None: ...

    class Searches(Service):
        locals().update(search=search)

    found = operations(build_specification(contract_of(Searches), url=None))
    properties = body(found["search"])["properties"]
    defaults = {name: schema.get("default", "absent") for name, schema in properties.items()}
    assert defaults == {
        "pageSize": 5,
        "between": {"from": 0},
        "price": "1.50",
        "wait": "PT1M",
        "infinite": "absent",
        "wrong": "absent",
    }


def test_a_parameter_may_move_out_of_the_body() -> None:
    @command(method="POST", path="/notes/{topic}")
    async def note(
        topic: str, text: str, urgent: Annotated[bool, Query("urgent-mail")], by: Annotated[str, Header()]
    ) -> None: ...

    class Notes(Service):
        locals().update(note=note)

    operation = operations(build_specification(contract_of(Notes), url=None))["note"]
    places = [(p["name"], p["in"], p["required"]) for p in operation["parameters"]]
    assert places == [("topic", "path", True), ("urgent-mail", "query", True), ("by", "header", True)]
    assert list(body(operation)["properties"]) == ["text"]
