"""Responses: results, streams, and the failures that a caller must expect."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from service_kit import Service, ServiceError, command
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification
from tests.openapi.shop import CornerShop, OutOfStock
from tests.openapi.test_document import operations

DOCUMENT = build_specification(contract_of(CornerShop), url=None)
FOUND = operations(DOCUMENT)
SCHEMAS = DOCUMENT["components"]["schemas"]


def problem(operation_id: str, status: str) -> dict[str, Any]:
    return dict(FOUND[operation_id]["responses"][status]["content"]["application/problem+json"]["schema"])


def admits(schema: dict[str, Any], value: Any) -> bool:
    """Tell whether a value fits a schema of the document."""
    return bool(OAS31Validator({**schema, "components": DOCUMENT["components"]}).is_valid(value))


def test_a_result_has_its_schema() -> None:
    response = FOUND["list_orders"]["responses"]["200"]
    assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Page_Order"}


def test_a_command_that_returns_nothing_answers_204_without_content() -> None:
    responses = FOUND["cancel_order"]["responses"]
    assert "200" not in responses
    assert "content" not in responses["204"]


def test_head_has_no_content() -> None:
    @command(method="HEAD", path="/size")
    async def size() -> int: ...

    class Files(Service):
        locals().update(size=size)

    found = operations(build_specification(contract_of(Files), url=None))
    assert "content" not in found["size"]["responses"]["200"]


def test_a_stream_says_what_its_events_are() -> None:
    [media_type] = FOUND["watch"]["responses"]["200"]["content"].items()
    assert media_type[0] == "text/event-stream"
    assert '"#/components/schemas/shop_Order-Output"' in str(media_type[1]).replace("'", '"')


def test_one_error_of_a_status_is_its_schema() -> None:
    assert problem("place_order", "409") == {"$ref": "#/components/schemas/OutOfStock"}
    assert FOUND["place_order"]["responses"]["409"]["description"] == "Out of stock."


def test_several_errors_of_a_status_are_told_apart_by_type() -> None:
    schema = problem("put_order", "409")
    assert schema == {
        "oneOf": [{"$ref": "#/components/schemas/OutOfStock"}, {"$ref": "#/components/schemas/Closed"}],
        "discriminator": {
            "propertyName": "type",
            "mapping": {
                "urn:problem-type:corner-shop:OutOfStock": "#/components/schemas/OutOfStock",
                "urn:problem-type:corner-shop:Closed": "#/components/schemas/Closed",
            },
        },
    }


def test_every_command_may_answer_422_and_has_a_default() -> None:
    for name, operation in FOUND.items():
        assert "422" in operation["responses"], name
        assert problem(name, "default") == {"$ref": "#/components/schemas/ProblemDetails"}


def test_a_declared_422_stands_beside_the_framework_s() -> None:
    refs = [s["$ref"].rpartition("/")[2] for s in problem("place_order", "422")["oneOf"]]
    assert refs == ["InvalidInput", "Unpayable"]


def test_a_declared_400_does_not_hide_malformed_json() -> None:
    schema = problem("place_order", "400")
    base = {"title": "t", "status": 400, "detail": "d", "request_id": "r"}
    assert admits(schema, {**base, "type": "urn:problem-type:service-kit:malformed-json"})
    assert admits(schema, {**base, "type": "urn:problem-type:corner-shop:Malformed", "column": 3})


def test_401_is_shown_where_a_scheme_applies() -> None:
    assert "401" in FOUND["get_order"]["responses"]
    assert "401" not in FOUND["list_orders"]["responses"]


def test_statuses_are_in_order() -> None:
    assert list(FOUND["place_order"]["responses"]) == ["200", "400", "401", "409", "422", "default"]


def test_the_schema_of_an_error_is_an_open_object_of_problem_members_and_fields() -> None:
    schema = SCHEMAS["OutOfStock"]
    assert schema["description"] == "Somebody was faster."
    assert schema["properties"]["type"]["const"] == "urn:problem-type:corner-shop:OutOfStock"
    assert schema["properties"]["status"]["const"] == 409
    assert schema["required"] == ["type", "title", "status", "detail", "request_id", "sku"]
    assert "additionalProperties" not in schema


def test_a_real_error_fits_its_schema() -> None:
    error = OutOfStock(sku="s-1")
    told = {
        "type": "urn:problem-type:corner-shop:OutOfStock",
        "title": error.title,
        "status": error.status,
        "detail": str(error),
        "request_id": "r-1",
        **error.encode_fields(),
    }
    reference = {"$ref": "#/components/schemas/OutOfStock"}
    assert admits(reference, told)
    assert admits(reference, {**told, "a_field_of_a_later_version": 1})
    assert not admits(reference, {**told, "sku": 3})


def test_a_model_and_an_error_of_one_name_have_distinct_components() -> None:
    class Missing(ServiceError, status=404):
        key: str

    error = Missing

    def declare() -> type[Service]:
        from pydantic import BaseModel

        class Missing(BaseModel):
            parts: list[str]

        @command(method="GET", path="/missing", errors=[error])
        async def missing() -> Missing: ...

        class Finder(Service):
            locals().update(missing=missing)

        return Finder

    schemas = build_specification(contract_of(declare()), url=None)["components"]["schemas"]
    assert "parts" in schemas["Missing"]["properties"]
    assert "key" in schemas["MissingProblem"]["properties"]


@pytest.mark.parametrize("name", ["ProblemDetails", "InvalidInput"])
def test_a_model_may_have_the_name_of_a_problem_of_the_framework(name: str) -> None:
    from pydantic import create_model

    model = create_model(name, text=(str, ...))

    @command
    async def tell(told: model) -> None: ...

    class Teller(Service):
        locals().update(tell=tell)

    schemas = build_specification(contract_of(Teller), url=None)["components"]["schemas"]
    assert list(schemas[name]["properties"]) == ["text"]
    assert "detail" in schemas[f"{name}Problem"]["properties"]
