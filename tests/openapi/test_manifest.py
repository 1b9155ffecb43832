"""The plugin manifest."""

from __future__ import annotations

from typing import Any

import pytest

from service_kit import ApiKey, AwsIam, Bearer, Plugin, PluginAuth, Service, command
from service_kit.contract.security import AnyScheme
from service_kit.contract.service import contract_of
from service_kit.openapi import build_manifest
from tests.openapi.shop import CornerShop, iam, jwt, link, verify


def manifest(service: type[Service]) -> dict[str, Any]:
    return build_manifest(
        contract_of(service),
        url="https://example.com/shop",
        specification_url="https://example.com/shop/openapi.json",
    )


def test_every_field_is_there() -> None:
    assert manifest(CornerShop) == {
        "schema_version": "v1",
        "name_for_model": "corner_shop",
        "name_for_human": "Corner Shop",
        "description_for_model": CornerShop.__doc__.replace("\n    ", "\n").strip()
        if CornerShop.__doc__
        else "",
        "description_for_human": "Sell things around the corner.",
        "auth": {"type": "service_http", "authorization_type": "bearer", "verification_tokens": {}},
        "api": {
            "type": "openapi",
            "url": "https://example.com/shop/openapi.json",
            "is_user_authenticated": False,
        },
        "logo_url": "https://cdn.example.com/logo.png",
        "contact_email": "shop@example.com",
        "legal_info_url": "https://example.com/shop/legal",
    }


def test_urls_under_a_prefix_keep_it() -> None:
    class Plain(Service):
        pass

    built = build_manifest(
        contract_of(Plain), url="https://x.example/a/b/", specification_url="/openapi.json"
    )
    assert built["api"]["url"] == "https://x.example/a/b/openapi.json"
    assert built["logo_url"] == "https://x.example/a/b/logo.svg"


def test_a_service_without_schemes_needs_no_auth() -> None:
    class Plain(Service):
        pass

    assert manifest(Plain)["auth"] == {"type": "none"}
    assert manifest(Plain)["description_for_model"] == "Plain"


def test_what_the_plugin_says_goes_first() -> None:
    class Told(
        Service,
        security=[Bearer(verify=verify)],
        plugin=Plugin(
            name_for_model="told_you",
            name_for_human="Told you",
            description_for_model="for models",
            description_for_human="for humans",
            auth=PluginAuth.model_validate({"type": "oauth", "client_url": "https://id.example.com"}),
            legal_info_url="https://example.com/terms",
            extra={"capabilities": ["x"], "schema_version": "v9"},
        ),
    ):
        """Not this."""

    built = manifest(Told)
    assert built["name_for_model"] == "told_you"
    assert built["name_for_human"] == "Told you"
    assert built["description_for_model"] == "for models"
    assert built["description_for_human"] == "for humans"
    assert built["auth"] == {"type": "oauth", "client_url": "https://id.example.com"}
    assert built["api"]["is_user_authenticated"] is True
    assert built["legal_info_url"] == "https://example.com/terms"
    assert built["capabilities"] == ["x"]
    assert built["schema_version"] == "v1"


BEARER = {"type": "service_http", "authorization_type": "bearer", "verification_tokens": {}}
CUSTOM = {
    "type": "service_http",
    "authorization_type": "custom",
    "custom_auth_header": "X-API-Key",
    "verification_tokens": {},
}


@pytest.mark.parametrize(
    ("schemes", "auth"),
    [
        ([jwt], BEARER),
        ([ApiKey(verify=verify)], CUSTOM),
        ([iam, Bearer(verify=verify)], BEARER),
        ([AwsIam()], {"type": "none"}),
        ([link], {"type": "none"}),
    ],
)
def test_auth_is_the_first_scheme_that_a_manifest_has_words_for(
    schemes: list[AnyScheme], auth: object
) -> None:
    @command
    async def look() -> None: ...

    class Guarded(Service, security=schemes):
        locals().update(look=look)

    assert manifest(Guarded)["auth"] == auth


def test_a_scheme_of_single_commands_counts_and_one_that_nobody_uses_does_not() -> None:
    @command(security=[Bearer(verify=verify)])
    async def locked() -> None: ...

    @command(security=[])
    async def free() -> None: ...

    class Mixed(Service):
        locals().update(locked=locked, free=free)

    class Unused(Service, security=[Bearer(verify=verify)]):
        locals().update(free=free)

    assert manifest(Mixed)["auth"] == BEARER
    assert manifest(Unused)["auth"] == {"type": "none"}


def test_names_and_descriptions_are_cut_at_words() -> None:
    class InternationalWarehouseManagement(Service, name="w" + "-ab" * 20):
        pass

    InternationalWarehouseManagement.__doc__ = None

    built = manifest(InternationalWarehouseManagement)
    assert built["name_for_human"] == "International"
    assert len(built["name_for_model"]) <= 50
    assert built["name_for_model"].startswith("w_ab_ab")

    class Wordy(Service):
        __doc__ = "Words and " * 1200

    built = manifest(Wordy)
    assert len(built["description_for_human"]) <= 100
    assert built["description_for_human"].endswith(" and…") or built["description_for_human"].endswith(
        "Words…"
    )
    assert len(built["description_for_model"]) <= 8000
    assert built["description_for_model"].endswith("…")


def test_the_first_sentence_does_not_end_inside_a_number_or_name() -> None:
    class Sentences(Service):
        """Reads v1.2 of the
        format (see example.com) fast! Then more.

        And more."""

    assert manifest(Sentences)["description_for_human"] == "Reads v1.2 of the format (see example.com) fast!"
