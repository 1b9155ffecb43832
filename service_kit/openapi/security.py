"""Security schemes, as a specification names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from service_kit.contract.command import AnyCommand
from service_kit.contract.security import AnyScheme, ApiKey, AwsIam, Bearer, Jwt, OAuth
from service_kit.contract.service import ServiceContract
from service_kit.openapi.names import unique_name
from service_kit.openapi.schemas import Json


def scheme_names(contract: ServiceContract) -> dict[str, str]:
    """Return the legal component name of every scheme by its own name."""
    names: dict[str, str] = {}
    for name in contract.schemes:
        names[name] = unique_name(name, names.values())
    return names


def describe_schemes(contract: ServiceContract) -> Json:
    """Return the components of every scheme."""
    names = scheme_names(contract)
    return {names[name]: _describe(scheme) for name, scheme in contract.schemes.items()}


def requirements(schemes: Sequence[AnyScheme], names: Mapping[str, str]) -> list[Json]:
    """Return the alternatives that admit a caller; empty: nothing is required."""
    return [{names[scheme.name]: _scopes(scheme)} for scheme in schemes]


def _scopes(scheme: AnyScheme) -> list[str]:
    oauth = scheme.oauth if isinstance(scheme, Bearer | Jwt) else None
    return list(oauth.scopes) if oauth is not None else []


def own_requirements(
    contract: ServiceContract, declared: AnyCommand, names: Mapping[str, str]
) -> list[Json] | None:
    """Return a command's requirements, or None where they are the service's."""
    schemes = contract.security_of(declared)
    return None if list(schemes) == list(contract.security) else requirements(schemes, names)


def _describe(scheme: AnyScheme) -> Json:
    described: Json
    match scheme:
        case Bearer(oauth=OAuth() as oauth) | Jwt(oauth=OAuth() as oauth):
            flow: Json = {
                "authorizationUrl": oauth.authorization_url,
                "tokenUrl": oauth.token_url,
                "scopes": dict(oauth.scopes),
            }
            described = {"type": "oauth2", "flows": {"authorizationCode": flow}}
        case Bearer():
            described = {"type": "http", "scheme": "bearer"}
        case Jwt():
            described = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        case ApiKey():
            described = {"type": "apiKey", "in": scheme.location, "name": scheme.parameter}
        case AwsIam():
            # The way API Gateway itself writes it: OpenAPI has no type for request signatures.
            described = {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "x-amazon-apigateway-authtype": "awsSigv4",
            }
        case _:
            assert_never(scheme)
    return {**described, "description": scheme.description} if scheme.description else described
