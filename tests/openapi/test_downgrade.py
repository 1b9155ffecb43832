"""Documents of OpenAPI 3.0.3: what is around the schemas."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator

from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification, downgrade
from tests.openapi.shop import CornerShop

NULLABLE = {"type": ["string", "null"]}
NULLABLE_30 = {"type": "string", "nullable": True}


def document(**members: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}, **members}


def test_what_30_has_no_place_for_is_dropped() -> None:
    given = document(
        jsonSchemaDialect="https://json-schema.org/draft/2020-12/schema",
        webhooks={"w": {"post": {}}},
        components={"pathItems": {"p": {}}, "schemas": {"S": NULLABLE}},
    )
    given["info"] |= {"summary": "s", "license": {"name": "MIT", "identifier": "MIT"}}
    converted = downgrade(given)
    assert converted == {
        "openapi": "3.0.3",
        "info": {
            "title": "t",
            "version": "1",
            "license": {"name": "MIT", "url": "https://spdx.org/licenses/MIT.html"},
        },
        "paths": {},
        "components": {"schemas": {"S": NULLABLE_30}},
    }
    OpenAPIV30SpecValidator(converted).validate()


def test_schemas_are_converted_wherever_they_stand() -> None:
    media = {"application/json": {"schema": NULLABLE, "itemSchema": NULLABLE}}
    parameter = {"name": "q", "in": "query", "schema": NULLABLE}
    header = {"schema": NULLABLE}
    part = {"x": {"headers": {"h": header}}}
    operation = {
        "parameters": [parameter, {"$ref": "#/components/parameters/P", "description": "lost"}],
        "requestBody": {"content": {"multipart/form-data": {"schema": NULLABLE, "encoding": part}}},
        "responses": {"200": {"description": "d", "headers": {"schema": header}, "content": media}},
        "callbacks": {
            "done": {"{$url}": {"post": {"responses": {"200": {"description": "d", "content": media}}}}}
        },
    }
    given = document(
        paths={"/a": {"parameters": [{**parameter, "name": "r"}], "get": operation}, "/b": {"get": {}}},
        components={
            "parameters": {"P": {**parameter, "name": "p"}},
            "headers": {"H": header},
            "responses": {"R": {"description": "d", "content": media}},
            "requestBodies": {"B": {"content": media}},
            "callbacks": {"C": {"{$url}": {"post": operation}}},
        },
    )
    before = deepcopy(given)
    converted = downgrade(given)
    OpenAPIV30SpecValidator(converted).validate()
    assert "'null'" not in str(converted)
    assert str(converted).count("'nullable': True") == str(given).count("['string', 'null']") - str(
        given
    ).count("itemSchema")
    assert converted["paths"]["/a"]["get"]["parameters"][1] == {"$ref": "#/components/parameters/P"}
    assert given == before


def test_extensions_are_kept_whatever_they_are() -> None:
    operation = {"responses": {"200": {"description": "d"}, "x-note": "$ref is no reference here"}}
    paths = {"x-p": "kept", "/a": {"get": operation, "x-q": [1]}}
    assert downgrade(document(paths=paths))["paths"] == paths


def test_the_given_document_is_left_as_it_was() -> None:
    given = build_specification(contract_of(CornerShop), url=None)
    before = deepcopy(given)
    downgrade(given)
    assert given == before


def test_nothing_of_31_is_left_in_a_document_of_everything() -> None:
    converted = str(downgrade(build_specification(contract_of(CornerShop), url=None)))
    for keyword in ("'const'", "'null'", "'prefixItems'", "'examples'", "'propertyNames'", "'contentSchema'"):
        assert keyword not in converted
