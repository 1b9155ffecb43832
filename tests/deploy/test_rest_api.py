"""The REST API of a template: the specification, as API Gateway takes it."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from plugins.todo.service import Todos
from service_kit import DefinitionError
from service_kit.deploy import Deployment, DeploymentOptions
from tests.deploy.conftest import Library, called_by, document, of_type, rest_operations
from tests.deploy.test_http_api import Guarded, Raw

REST = DeploymentOptions(api="rest")
CHECKING = DeploymentOptions(api="rest", validate_requests=True)


def body_of(deployment: Deployment) -> Any:
    [api] = of_type(document(deployment), "AWS::Serverless::Api").values()
    return api["DefinitionBody"]


@pytest.mark.parametrize("service", [Library, Todos, Guarded])
def test_the_body_is_a_valid_specification(service: Any) -> None:
    OpenAPIV30SpecValidator(body_of(Deployment(service, CHECKING))).validate()


def test_every_operation_leads_to_the_function_of_its_command() -> None:
    template = document(Deployment(Library, DeploymentOptions(api="rest", functions="each")))
    led = {(path, method): called_by(operation) for path, method, operation in rest_operations(template)}
    assert led["/books/{book_id}", "get"] == led["/rpc/read_book", "post"] == "ReadBookFunction"
    assert led["/openapi.json", "get"] == "DocumentsFunction"


def test_parameters_at_one_place_have_one_name() -> None:
    found = {path: operation for path, _, operation in rest_operations(document(Deployment(Library, REST)))}
    assert "/books/{book_id}/pages" in found
    assert "/books/{other_id}/pages" not in found
    [parameter] = [p for p in found["/books/{book_id}/pages"]["parameters"] if p["in"] == "path"]
    assert parameter["name"] == "book_id"


def test_requests_are_checked_on_demand_and_never_more_strictly_than_the_service_would() -> None:
    assert "x-amazon-apigateway-request-validator" not in body_of(Deployment(Library, REST))
    body = body_of(Deployment(Library, CHECKING))
    assert body["x-amazon-apigateway-request-validator"] == "all"
    request = body["paths"]["/books/{book_id}/pages"]["post"]["requestBody"]
    schema = request["content"]["application/json"]["schema"]
    while "$ref" in schema:
        schema = body["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert schema["required"] == ["page"]
    assert schema["properties"]["page"] == {"$ref": "#/components/schemas/Page"}
    # API Gateway knows no null, which the service takes for an absent note.
    assert (
        "type" not in schema["properties"].get("note", {}) or "nullable" not in schema["properties"]["note"]
    )


def test_an_http_api_cannot_check_requests() -> None:
    with pytest.raises(DefinitionError, match='choose api="rest"'):
        Deployment(Library, DeploymentOptions(validate_requests=True))


def test_signatures_are_asked_for_where_the_command_wants_them() -> None:
    body = body_of(Deployment(Guarded, REST))
    assert body["paths"]["/rpc/signed"]["post"]["security"] == [{"sigv4": []}]
    assert body["paths"]["/rpc/tokened"]["post"]["security"] == []
    assert body["components"]["securitySchemes"]["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_browsers_may_ask_without_credentials_where_other_origins_are_admitted() -> None:
    body = body_of(Deployment(Guarded, REST))
    assert body["paths"]["/rpc/signed"]["options"]["security"] == []
    assert "options" not in body_of(Deployment(Library, REST))["paths"]["/rpc/read_book"]


def test_raw_routes_get_what_no_other_route_takes() -> None:
    body = body_of(Deployment(Raw, REST))
    assert list(body["paths"]["/{proxy+}"]) == ["x-amazon-apigateway-any-method"]
    assert called_by(body["paths"]["/"]["x-amazon-apigateway-any-method"]) == "ApiFunction"
