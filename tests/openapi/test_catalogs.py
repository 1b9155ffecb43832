"""`/llms.txt`, the API catalogue, the agent card, and the kinds of authentication that a manifest knows."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from openapi_spec_validator import validate

from service_kit import (
    AgentCard,
    AgentInterface,
    ApiKey,
    Bearer,
    DefinitionError,
    OAuth,
    Plugin,
    Service,
    command,
    workflow,
)
from service_kit.contract.security import AnyScheme
from service_kit.contract.service import contract_of
from service_kit.openapi import (
    Offered,
    agent_problems,
    api_catalog,
    build_agent_card,
    build_manifest,
    build_specification,
    llms_text,
    render_json,
)
from service_kit.openapi.schemas import Json
from tests.openapi.shop import jwt, verify

URL = "https://x.example/shop"
OAUTH = OAuth(
    "https://id.example/authorize", "https://id.example/token", {"read": "See things", "buy": "Buy them"}
)


@command(method="GET", path="/things/{id}", tags=["things"])
async def get_thing(id: int) -> str:
    """Get a thing.

    It is returned whole.
    """
    return str(id)


@command(summary="Buy " + "very " * 80 + "much")
async def buy(count: int) -> None: ...


@workflow
async def deliver(id: int) -> None: ...


class Things(Service, version="2.1", security=[Bearer(verify)]):
    """Sell things. All kinds.

    And deliver them.
    """

    get_thing = get_thing
    buy = buy
    deliver = deliver


def test_llms_txt_says_what_the_service_is_and_where_more_is_written() -> None:
    page = llms_text(contract_of(Things), url=URL, offered=Offered(agent_card=True))
    lines = page.splitlines()
    assert lines[:3] == ["# Things", "", "> Sell things."]
    assert "And deliver them." in lines
    assert "- get_thing (`GET /things/{id}`): Get a thing." in lines
    [bought] = [line for line in lines if line.startswith("- buy (`POST /rpc/buy`): Buy very")]
    assert len(bought) < 330
    assert bought.endswith("…")
    assert "Workflows, which run long and survive crashes: `deliver`." in lines
    assert f"- [OpenAPI]({URL}/openapi.json): every command with its parameters, results and errors" in lines
    assert f"- [MCP]({URL}/mcp): the commands as tools, over streamable HTTP" in lines
    assert f"- [Agent card]({URL}/.well-known/agent-card.json): the agent that speaks A2A" in lines


def test_llms_txt_names_no_document_that_is_not_served() -> None:
    page = llms_text(contract_of(Things), url=URL, offered=Offered(docs=False, mcp=False))
    assert "/mcp" not in page
    assert "/docs" not in page
    assert "agent-card" not in page


def test_the_catalogue_links_the_service_to_its_descriptions() -> None:
    found = api_catalog(contract_of(Things), url=URL, offered=Offered(agent_card=True))["linkset"]
    assert found[0] == {"anchor": f"{URL}/.well-known/api-catalog", "item": [{"href": URL}]}
    assert found[1]["anchor"] == URL
    assert found[1]["service-desc"][0] == {
        "href": f"{URL}/openapi.json",
        "type": "application/vnd.oai.openapi+json",
    }
    assert {"href": f"{URL}/.well-known/agent-card.json", "type": "application/json"} in found[1][
        "service-meta"
    ]
    assert found[1]["service-doc"] == [{"href": f"{URL}/docs", "type": "text/html"}]
    assert found[1]["status"] == [{"href": f"{URL}/healthz", "type": "application/json"}]
    assert found[1]["terms-of-service"] == [{"href": f"{URL}/legal"}]


def test_a_card_has_what_the_protocol_requires() -> None:
    card = AgentCard(
        interfaces=(AgentInterface(url="/a2a"),), skills=("get_thing",), extra={"provider": {"url": "u"}}
    )
    built = build_agent_card(contract_of(Things), card, url=URL)
    assert built == {
        "provider": {"url": "u"},
        "name": "Things",
        "description": "Sell things. All kinds.\n\nAnd deliver them.",
        "version": "2.1",
        "supportedInterfaces": [
            {"url": f"{URL}/a2a", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
        ],
        "capabilities": {"streaming": False, "pushNotifications": False},
        "defaultInputModes": ["application/json"],
        "defaultOutputModes": ["application/json"],
        "documentationUrl": f"{URL}/llms.txt",
        "iconUrl": f"{URL}/logo.svg",
        "skills": [
            {
                "id": "get_thing",
                "name": "Get thing",
                "description": "Get a thing.\n\nIt is returned whole.",
                "tags": ["things"],
            }
        ],
        "securitySchemes": {"bearer": {"httpAuthSecurityScheme": {"scheme": "bearer"}}},
        "securityRequirements": [{"schemes": {"bearer": {"list": []}}}],
    }


def test_a_skill_that_is_no_command_is_a_mistake_at_import() -> None:
    card = AgentCard(interfaces=(AgentInterface(url="/a2a"),), skills=("get_thong",))
    with pytest.raises(
        DefinitionError, match="agent card: its skill 'get_thong' is no command; it has get_thing"
    ):

        class Wrong(Service, plugin=Plugin(agent_card=card)):
            locals().update(get_thing=get_thing)


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        (None, {"type": "none"}),
        (Bearer(verify), {"type": "service_http", "authorization_type": "bearer", "verification_tokens": {}}),
        (Bearer(verify, per_user=True), {"type": "user_http", "authorization_type": "bearer"}),
        (
            Bearer(verify, oauth=OAUTH),
            {
                "type": "oauth",
                "client_url": "https://id.example/authorize",
                "scope": "read buy",
                "authorization_url": "https://id.example/token",
                "authorization_content_type": "application/x-www-form-urlencoded",
                "verification_tokens": {},
            },
        ),
    ],
)
def test_the_manifest_knows_four_kinds_of_authentication(scheme: AnyScheme | None, auth: Json) -> None:
    class Guarded(Service, security=[scheme] if scheme else []):
        locals().update(get_thing=get_thing)

    built = build_manifest(contract_of(Guarded), url=URL, specification_url="/openapi.json")
    assert built["auth"] == auth
    assert built["api"]["is_user_authenticated"] is (auth["type"] in ("user_http", "oauth"))
    assert not agent_problems(contract_of(Guarded))


def test_oauth_is_in_the_specification_with_its_scopes() -> None:
    class Guarded(Service, security=[Bearer(verify, oauth=OAUTH)]):
        locals().update(get_thing=get_thing)

    document = build_specification(contract_of(Guarded), url=URL)
    validate(document)
    assert document["components"]["securitySchemes"]["bearer"] == {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": "https://id.example/authorize",
                "tokenUrl": "https://id.example/token",
                "scopes": {"read": "See things", "buy": "Buy them"},
            }
        },
    }
    assert document["security"] == [{"bearer": ["read", "buy"]}]


def test_a_card_names_each_scheme_in_the_words_of_the_protocol() -> None:
    class Guarded(Service, security=[jwt, ApiKey(verify), Bearer(verify, name="o", oauth=OAUTH)]):
        locals().update(get_thing=get_thing)

    card = AgentCard(interfaces=(AgentInterface(url="https://a.example"),))
    schemes = build_agent_card(contract_of(Guarded), card, url=URL)["securitySchemes"]
    assert schemes["jwt"] == {"httpAuthSecurityScheme": {"scheme": "bearer", "bearerFormat": "JWT"}}
    assert schemes["apiKey"] == {"apiKeySecurityScheme": {"location": "header", "name": "X-API-Key"}}
    assert schemes["o"]["oauth2SecurityScheme"]["flows"]["authorizationCode"]["scopes"].keys() == {
        "read",
        "buy",
    }


def test_documents_of_two_hundred_commands_stay_small_and_are_told_of_once() -> None:
    class Large(Service, plugin=Plugin(description_for_human="Large.")):
        """Do two hundred things."""

        locals().update({f"buy_{n}": buy.named(f"buy_{n}") for n in range(100)})
        locals().update({f"do_{n}": command(summary="Do it")(_do(n)) for n in range(100)})

    contract = contract_of(Large)
    assert len(llms_text(contract, url=URL, offered=Offered())) < 50_000
    assert len(render_json(api_catalog(contract, url=URL, offered=Offered())).body) < 2_000
    assert len(render_json(build_manifest(contract, url=URL, specification_url="/o")).body) < 2_000
    problems = agent_problems(contract)
    assert [str(p) for p in problems if "commands" in p.problem] == [
        (
            "service 'large': it has 200 commands, and agents take about 30; "
            "split it, or publish a smaller service of the commands that agents need"
        )
    ]
    told = [(p.where, p.problem) for p in problems]
    assert len(told) == len(set(told)) == 101  # the size of the service, and each summary that is too long


def _do(number: int) -> Callable[[int], Coroutine[Any, Any, int]]:
    async def do(count: int) -> int:
        return count + number

    do.__name__ = f"do_{number}"
    return do
