"""The HTTP API of a template: routes, admission, other origins."""

from __future__ import annotations

import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from plugins.todo.service import Todos
from service_kit import ApiKey, AwsIam, Cors, DefinitionError, Jwt, Service, command
from service_kit.deploy import Deployment, DeploymentOptions
from service_kit.http import HttpOptions
from service_kit.http.router import Found
from tests.deploy.conftest import Library, Template, document, of_type, routes


class Claims(BaseModel):
    sub: str


async def known(key: str) -> str | None:
    return key or None


jwt = Jwt(
    Claims, issuer="https://id.example.com", audience="books",
    jwks_url="https://id.example.com/keys", algorithms=["RS256"],
)  # fmt: skip
elliptic = Jwt(
    Claims, issuer="https://id.example.com", audience="books",
    jwks_url="https://id.example.com/keys", name="elliptic",
)  # fmt: skip
iam, key = AwsIam(), ApiKey(known)


@command(security=[iam])
async def signed() -> None: ...


@command(security=[jwt])
async def tokened() -> None: ...


@command(security=[jwt, key])
async def either() -> None: ...


@command(security=[elliptic])
async def newer() -> None: ...


@command(security=[])
async def open_to_all() -> None: ...


class Guarded(
    Service, security=[key], cors=Cors(["https://app.example.com"], credentials=True, max_age_s=60)
):
    signed = signed
    tokened = tokened
    either = either
    newer = newer
    open_to_all = open_to_all


router = APIRouter()


class Raw(Service, routes=[router]):
    signed = signed


def admission(template: Template) -> dict[str, str]:
    found = of_type(template, "AWS::ApiGatewayV2::Route").values()
    return {route["RouteKey"]: route["AuthorizationType"] for route in found}


def test_every_native_route_of_the_service_is_a_route_of_the_api() -> None:
    application = Todos.asgi(HttpOptions(docs=False)).application
    keys = routes(document(Deployment(Todos)))
    for name, declared in Todos._contract.commands.items():
        assert f"POST /rpc/{name}" in keys
        assert declared.route is not None
        assert f"{declared.route.method} {declared.route.path}" in keys
    documents = {k for k in keys if "/rpc/" not in k} - {
        f"{c.route.method} {c.route.path}" for c in Todos._contract.commands.values() if c.route
    }
    assert documents >= {
        "GET /openapi.json", "GET /openapi.yaml", "GET /.well-known/openapi.json", "GET /spec/openapi.json",
        "GET /.well-known/ai-plugin.json", "GET /logo.svg", "GET /legal", "GET /healthz", "POST /mcp",
    }  # fmt: skip
    for key in keys:
        method, _, path = key.partition(" ")
        assert isinstance(application.find(method, path), Found)


def test_clients_of_mcp_learn_who_issues_tokens_where_there_are_tokens() -> None:
    application = Guarded.asgi().application
    issuers = {key for key in routes(document(Deployment(Guarded))) if "oauth" in key}
    assert len(issuers) == 2
    for key in issuers:
        method, _, path = key.partition(" ")
        assert isinstance(application.find(method, path), Found)


def test_mcp_can_be_left_out() -> None:
    assert "POST /mcp" not in routes(document(Deployment(Library, DeploymentOptions(mcp=False))))


def test_the_api_asks_for_what_it_can_check_and_leaves_the_rest_to_the_function() -> None:
    template = document(Deployment(Guarded))
    assert {key: kind for key, kind in admission(template).items() if "/rpc/" in key} == {
        "POST /rpc/signed": "AWS_IAM",
        "POST /rpc/tokened": "JWT",
        "POST /rpc/either": "NONE",
        "POST /rpc/newer": "NONE",
        "POST /rpc/open_to_all": "NONE",
    }
    [authorizer] = of_type(template, "AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["JwtConfiguration"] == {"Issuer": "https://id.example.com", "Audience": ["books"]}
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]


def test_documents_are_open_whoever_may_call() -> None:
    found = admission(document(Deployment(Guarded)))
    assert found["GET /openapi.json"] == found["GET /.well-known/ai-plugin.json"] == "NONE"


def test_signatures_beside_other_credentials_are_refused() -> None:
    with pytest.raises(DefinitionError, match="offer the same function as two commands"):
        Deployment(SignedOrKey).template()


def test_pages_of_other_origins_are_admitted_as_the_service_says() -> None:
    api = of_type(document(Deployment(Guarded)), "AWS::ApiGatewayV2::Api")["Api"]
    assert api["CorsConfiguration"] == {
        "AllowOrigins": ["https://app.example.com"],
        "AllowMethods": ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"],
        "AllowHeaders": list(Cors([]).headers),
        "ExposeHeaders": ["x-request-id", "retry-after", "etag"],
        "AllowCredentials": True,
        "MaxAge": 60,
    }
    assert "CorsConfiguration" not in of_type(document(Deployment(Library)), "AWS::ApiGatewayV2::Api")["Api"]


def test_raw_routes_get_what_no_other_route_takes() -> None:
    assert routes(document(Deployment(Raw)))["$default"] == "ApiFunction"
    assert "$default" not in routes(document(Deployment(Library)))


def test_a_limit_of_requests_holds_for_the_stage() -> None:
    template = document(Deployment(Library, DeploymentOptions(requests_per_s=50)))
    [stage] = of_type(template, "AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"] == {
        "DetailedMetricsEnabled": True, "ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100,
    }  # fmt: skip


def test_only_the_own_api_may_call_the_functions() -> None:
    template = document(Deployment(Library))
    [permission] = of_type(template, "AWS::Lambda::Permission").values()
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${AWS::AccountId}:${Api}/*/*")


def test_what_is_different_on_aws_is_told() -> None:
    assert "everybody who knows the URL may call" in Deployment(Library).notes()[-1]
    found = "\n".join(Deployment(Guarded).notes())
    assert "everybody" not in found
    assert "scheme 'elliptic' is checked by the function alone" in found
    assert "scheme 'apiKey' is checked by the function, and not by API Gateway" in found
    assert "'jwt'" not in found
    assert "command 'export_todos' streams" in "\n".join(Deployment(Todos).notes())
    assert "command 'slow' may take 60 s, and API Gateway waits 30 s" in "\n".join(Deployment(Slow).notes())


@command(security=[iam, key])
async def signed_or_key() -> None: ...


class SignedOrKey(Service):
    signed_or_key = signed_or_key


@command(timeout_s=60)
async def slow() -> None: ...


class Slow(Service):
    slow = slow
