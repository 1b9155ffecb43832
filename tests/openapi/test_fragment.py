"""Raw routes in the document: merged in, without clobbering."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path
from fastapi.security import APIKeyHeader, HTTPBearer
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from pydantic import BaseModel

from service_kit import ApiKey, Service
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification, downgrade
from tests.openapi.shop import CornerShop, verify
from tests.openapi.test_document import operations

SHOP = contract_of(CornerShop)


class Address(BaseModel):
    """Another one than the shop's."""

    planet: str


def fastapi_document() -> dict[str, Any]:
    app = FastAPI()

    @app.get("/ping", operation_id="ping")
    def ping() -> str: ...

    @app.get("/orders/{number}", operation_id="taken")
    def taken(number: int) -> str: ...

    @app.patch("/orders/{number}", operation_id="patch_order")
    def patch_order(number: Annotated[int, Path()], address: Address, number_of: int = 1) -> Address: ...

    return dict(app.openapi())


DOCUMENT = build_specification(SHOP, url=None, raw=fastapi_document())
FOUND = operations(DOCUMENT)


def test_the_whole_is_valid_in_both_versions() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    OpenAPIV30SpecValidator(downgrade(DOCUMENT)).validate()


def test_routes_are_added_and_commands_keep_what_is_theirs() -> None:
    alone = build_specification(SHOP, url=None)
    for name, operation in operations(alone).items():
        assert FOUND[name] == operation
    assert "/ping" in DOCUMENT["paths"]
    assert "taken" not in FOUND


def test_an_operation_id_that_is_taken_becomes_another() -> None:
    assert DOCUMENT["paths"]["/ping"]["get"]["operationId"] == "ping_2"


def test_a_path_that_only_names_its_parameter_otherwise_is_the_command_s() -> None:
    assert FOUND["patch_order"] is DOCUMENT["paths"]["/orders/{order_id}"]["patch"]
    names = [p["name"] for p in FOUND["patch_order"]["parameters"]]
    assert names == ["order_id", "number_of"]


def test_a_component_of_a_name_that_is_taken_is_renamed_with_its_references() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert "street" in schemas["Address"]["properties"]
    assert "planet" in schemas["Address_raw"]["properties"]
    body = FOUND["patch_order"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Address_raw"}


def test_the_fragment_is_left_as_it_was() -> None:
    fragment = fastapi_document()
    build_specification(SHOP, url=None, raw=fragment)
    assert fragment == fastapi_document()


def test_parameters_of_a_whole_path_are_those_of_each_operation() -> None:
    shared = {"name": "lang", "in": "query", "schema": {"type": "string"}}
    answer = {"responses": {"200": {"description": "ok"}}}
    fragment = {"paths": {"/pages": {"parameters": [shared], "get": answer}}}
    document = build_specification(SHOP, url=None, raw=fragment)
    assert document["paths"]["/pages"]["get"]["parameters"] == [shared]
    OpenAPIV31SpecValidator(document).validate()


def test_invalid_input_of_a_raw_route_is_told_as_the_service_tells_it() -> None:
    responses = FOUND["patch_order"]["responses"]
    assert responses["422"] == FOUND["get_order"]["responses"]["422"]
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]
    assert "ValidationError" not in DOCUMENT["components"]["schemas"]


def test_a_schema_of_fastapi_s_that_a_route_uses_itself_is_kept() -> None:
    fragment = fastapi_document()
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ValidationError"}}}}
    fragment["paths"]["/ping"]["get"]["responses"]["200"] |= answer
    document = build_specification(SHOP, url=None, raw=fragment)
    assert "ValidationError" in document["components"]["schemas"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    OpenAPIV31SpecValidator(document).validate()


def test_requirements_of_a_raw_route_hold_beside_the_service_s() -> None:
    app = FastAPI()
    ours = HTTPBearer(scheme_name="raw")
    same_name = APIKeyHeader(name="X-Other", scheme_name="apiKey")

    @app.get("/both", dependencies=[Depends(ours), Depends(same_name)])
    def both() -> None: ...

    @app.get("/service")
    def service() -> None: ...

    class Guarded(Service, security=[ApiKey(verify=verify), ApiKey(verify=verify, name="second")]):
        pass

    document = build_specification(contract_of(Guarded), url=None, raw=app.openapi())
    requirements = document["paths"]["/both"]["get"]["security"]
    theirs = [name for name in document["components"]["securitySchemes"] if name not in ("apiKey", "second")]
    assert sorted(theirs) == ["apiKey_raw", "raw"]
    assert all({"apiKey", "second"} & set(r) and set(theirs) & set(r) for r in requirements)
    assert "security" not in document["paths"]["/service"]["get"]
    OpenAPIV31SpecValidator(document).validate()


def test_the_editable_model_has_the_raw_routes() -> None:
    router = APIRouter()

    @router.get("/raw")
    def raw() -> str: ...

    class Routed(Service, routes=[router]):
        pass

    paths = Routed.specification().paths
    assert paths is not None
    assert "/raw" in paths
