"""What a service says of itself, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from service_kit import AgentCard, AgentInterface, Plugin, Service, command
from service_kit.http import HttpOptions
from tests.http.conftest import Ask


@command(method="GET", path="/things/{name}", summary="Find a thing")
async def find(name: str, near: str | None = None) -> list[str]:
    return [name]


@command
async def hidden(count: int) -> None: ...


@command(method="GET", path="/spec/openapi.json")
async def edited() -> dict[str, Any]:
    document = Things.specification(url="https://edited.example")
    document.info.title = "Edited"
    return document.model_dump(mode="json", by_alias=True, exclude_none=True)


class Things(Service, version="4.2"):
    """Find things."""

    find = find
    hidden = hidden
    edited = edited


@pytest.mark.parametrize("path", ["/openapi.json", "/.well-known/openapi.json"])
def test_specification_is_served_with_the_callers_url(ask: Ask, path: str) -> None:
    response = ask(Things, "GET", path)
    document = response.json()
    assert response.headers["content-type"] == "application/json"
    assert (document["openapi"], document["info"]["version"]) == ("3.1.0", "4.2")
    assert document["servers"] == [{"url": "http://orders.test"}]
    assert document["paths"]["/things/{name}"]["get"]["operationId"] == "find"
    validate(document)


def test_specification_is_served_as_3_0_on_request(ask: Ask) -> None:
    document = ask(Things, "GET", "/openapi.json?version=3.0").json()
    assert document["openapi"] == "3.0.3"
    validate(document)
    assert ask(Things, "GET", "/openapi.json?version=2.0").status_code == 400


def test_specification_is_served_as_yaml(ask: Ask) -> None:
    response = ask(Things, "GET", "/openapi.yaml")
    assert "yaml" in response.headers["content-type"]
    assert yaml.safe_load(response.text) == ask(Things, "GET", "/openapi.json").json()


def test_configured_url_goes_before_the_callers(ask: Ask) -> None:
    options = HttpOptions(url="https://orders.example/api/")
    assert ask(Things, "GET", "/openapi.json", options=options).json()["servers"] == [
        {"url": "https://orders.example/api"}
    ]
    manifest = ask(Things, "GET", "/.well-known/ai-plugin.json", options=options).json()
    assert manifest["api"]["url"] == "https://orders.example/api/openapi.json"


def test_rpc_paths_are_shown_on_request(ask: Ask) -> None:
    assert "/rpc/find" not in ask(Things, "GET", "/openapi.json").json()["paths"]
    assert (
        "/rpc/find"
        in ask(Things, "GET", "/openapi.json", options=HttpOptions(include_rpc=True)).json()["paths"]
    )


def test_documents_are_not_sent_twice_to_who_has_them(ask: Ask) -> None:
    application = Things.asgi()
    first = ask(application, "GET", "/openapi.json")
    again = ask(
        application, "GET", "/openapi.json", headers={"if-none-match": f'"x", {first.headers["etag"]}'}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert ask(application, "GET", "/openapi.json", headers={"if-none-match": '"x"'}).status_code == 200
    assert first.headers["etag"] != ask(application, "GET", "/openapi.yaml").headers["etag"]


def test_callers_who_invent_hosts_get_their_own_url_and_fill_no_memory(ask: Ask) -> None:
    application = Things.asgi()
    for number in range(40):
        host = f"host{number}.test"
        document = ask(application, "GET", "/openapi.json", headers={"host": host}).json()
        assert document["servers"] == [{"url": f"http://{host}"}]


def test_a_command_may_serve_an_edited_document_at_a_path_of_ours(ask: Ask) -> None:
    document = ask(Things, "GET", "/spec/openapi.json").json()
    assert (document["info"]["title"], document["servers"][0]["url"]) == ("Edited", "https://edited.example")


def test_manifest_has_every_field_that_agents_demand(ask: Ask) -> None:
    manifest = ask(Things, "GET", "/.well-known/ai-plugin.json").json()
    assert manifest["schema_version"] == "v1"
    assert manifest["name_for_model"] == "things"
    assert manifest["description_for_human"] == "Find things."
    assert manifest["auth"] == {"type": "none"}
    assert manifest["api"]["url"] == "http://orders.test/openapi.json"
    for name in ("logo_url", "legal_info_url"):
        assert manifest[name].startswith("http://orders.test/")
        assert ask(Things, "GET", manifest[name].removeprefix("http://orders.test")).status_code == 200
    assert "@" in manifest["contact_email"]


def test_documentation_page_loads_nothing_from_elsewhere(ask: Ask) -> None:
    page = ask(Things, "GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "http" not in page.text.replace('content="width', ""), "no address of another host"
    script = ask(Things, "GET", "/docs/swagger-ui-bundle.js")
    assert script.headers["content-type"] == "text/javascript"
    assert len(script.content) > 100_000
    for path in ("/docs/../asgi.py", "/docs/%2e%2e%2fconsts.py", "/docs/redoc.standalone.js"):
        assert ask(Things, "GET", path).status_code == 404
    assert ask(Things, "GET", "/docs", options=HttpOptions(docs=False)).status_code == 404


def test_health_is_told(ask: Ask) -> None:
    assert json.loads(ask(Things, "GET", "/healthz").content) == {"status": "ok"}


class Cards(
    Things,
    plugin=Plugin(agent_card=AgentCard(interfaces=(AgentInterface(url="/a2a"),))),
):
    """Have a card."""


@pytest.mark.parametrize(
    ("path", "media_type", "named"),
    [
        ("/llms.txt", "text/plain; charset=utf-8", "http://orders.test/openapi.json"),
        ("/.well-known/api-catalog", "application/linkset+json", "http://orders.test/openapi.json"),
        ("/.well-known/agent-card.json", "application/json", "http://orders.test/a2a"),
    ],
)
def test_catalogues_are_served_with_the_callers_url_and_not_twice(
    ask: Ask, path: str, media_type: str, named: str
) -> None:
    application = Cards.asgi()
    first = ask(application, "GET", path)
    assert first.headers["content-type"].startswith(media_type)
    assert named in first.text
    again = ask(application, "GET", path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    configured = ask(Cards, "GET", path, options=HttpOptions(url="https://x.example/api"))
    assert named.replace("http://orders.test", "https://x.example/api") in configured.text


def test_the_head_of_the_api_catalogue_links_to_it(ask: Ask) -> None:
    response = ask(Things, "HEAD", "/.well-known/api-catalog")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["link"] == '<http://orders.test/.well-known/api-catalog>; rel="api-catalog"'
    assert 'profile="https://www.rfc-editor.org/info/rfc9727"' in response.headers["content-type"]


def test_a_service_that_asks_for_no_card_has_none(ask: Ask) -> None:
    assert ask(Things, "GET", "/.well-known/agent-card.json").status_code == 404
    assert "agent-card" not in ask(Things, "GET", "/llms.txt").text


def test_what_is_not_served_is_not_named(ask: Ask) -> None:
    page = ask(Things, "GET", "/llms.txt", options=HttpOptions(docs=False, mcp=False)).text
    assert "/docs" not in page
    assert "/mcp" not in page
