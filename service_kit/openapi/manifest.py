"""The plugin manifest, version 1: what `/.well-known/ai-plugin.json` says."""

from __future__ import annotations

from copy import deepcopy
from typing import assert_never

from service_kit.contract.security import AnyScheme, ApiKey, AwsIam, Bearer, Jwt, OAuth
from service_kit.contract.service import ServiceContract
from service_kit.openapi.schemas import Json
from service_kit.openapi.text import cut, first_sentence, words

NAME_FOR_MODEL_LIMIT = 50
NAME_FOR_HUMAN_LIMIT = 20
DESCRIPTION_FOR_MODEL_LIMIT = 8000
DESCRIPTION_FOR_HUMAN_LIMIT = 100


def build_manifest(contract: ServiceContract, *, url: str, specification_url: str) -> Json:
    """Return the manifest: the service's `Plugin`, and from the service itself what that leaves out.

    `url` is the service's own, absolute; relative URLs of the plugin, and `specification_url`, are under it.
    """
    plugin = contract.plugin
    auth = manifest_auth(contract)
    manifest: Json = {
        "schema_version": "v1",
        "name_for_model": plugin.name_for_model
        or cut(model_name(contract), NAME_FOR_MODEL_LIMIT, ellipsis=""),
        "name_for_human": plugin.name_for_human
        or cut(human_name(contract), NAME_FOR_HUMAN_LIMIT, ellipsis=""),
        "description_for_model": plugin.description_for_model
        or cut(model_description(contract), DESCRIPTION_FOR_MODEL_LIMIT),
        "description_for_human": plugin.description_for_human
        or cut(human_description(contract), DESCRIPTION_FOR_HUMAN_LIMIT),
        "auth": auth,
        "api": {
            "type": "openapi",
            "url": absolute(specification_url, url),
            "is_user_authenticated": auth["type"] in ("user_http", "oauth"),
        },
        "logo_url": absolute(plugin.logo_url, url),
        "contact_email": plugin.contact_email,
        "legal_info_url": absolute(plugin.legal_info_url, url),
    }
    return {**deepcopy(plugin.extra), **manifest}


def model_name(contract: ServiceContract) -> str:
    return contract.name.replace("-", "_")


def human_name(contract: ServiceContract) -> str:
    return words(contract.title)


def model_description(contract: ServiceContract) -> str:
    return contract.description or human_name(contract)


def human_description(contract: ServiceContract) -> str:
    return first_sentence(model_description(contract))


def schemes_in_use(contract: ServiceContract) -> list[AnyScheme]:
    """Return the schemes that at least one command asks for; the service's go first."""
    used = {s.name for c in contract.commands.values() for s in contract.security_of(c)}
    return [scheme for name, scheme in contract.schemes.items() if name in used]


def manifest_auth(contract: ServiceContract) -> Json:
    """Return the manifest's `auth`: the plugin's, or the first scheme in use that a manifest can express."""
    if contract.plugin.auth is not None:
        return contract.plugin.auth.model_dump(mode="json")
    found = (scheme_auth(scheme) for scheme in schemes_in_use(contract))
    return next((auth for auth in found if auth is not None), {"type": "none"})


def scheme_auth(scheme: AnyScheme) -> Json | None:
    """Return a scheme as the manifest has it, or None if it has no words for it."""
    match scheme:
        case Bearer(oauth=OAuth() as oauth) | Jwt(oauth=OAuth() as oauth):
            return {
                "type": "oauth",
                "client_url": oauth.authorization_url,
                "scope": " ".join(oauth.scopes),
                "authorization_url": oauth.token_url,
                "authorization_content_type": "application/x-www-form-urlencoded",
                "verification_tokens": {},
            }
        case Bearer(per_user=True) | Jwt(per_user=True):
            return {"type": "user_http", "authorization_type": "bearer"}
        case Bearer() | Jwt():
            return {"type": "service_http", "authorization_type": "bearer", "verification_tokens": {}}
        case ApiKey():
            if scheme.location != "header":
                return None
            return {
                "type": "service_http",
                "authorization_type": "custom",
                "custom_auth_header": scheme.parameter,
                "verification_tokens": {},
            }
        case AwsIam():
            return None
        case _:
            assert_never(scheme)


def absolute(target: str, url: str) -> str:
    """Return `target` if it is absolute, or else where it is under `url`, whose path is a prefix."""
    if "://" in target or target.startswith("data:"):
        return target
    return f"{url.rstrip('/')}/{target.lstrip('/')}"
