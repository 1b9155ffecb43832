"""What agents read of a service, and the prompts that it offers to their users."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any

import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import TextContent, TextResourceContents
from pydantic import Field

from service_kit import Plugin, Service, command, current_request, prompt
from service_kit.http import HttpOptions
from tests.http.agents import Mode, with_agent


@prompt
def plan_day(day: Annotated[date, Field(description="the day to plan")], mood: str = "calm") -> str:
    """Plan a day with what is due."""
    return f"Plan {day:%A} and keep it {mood}, {current_request().headers['x-user']}."


@prompt(title="Break")
async def break_down() -> str:
    raise RuntimeError("the password is swordfish")


@command(method="GET", path="/todos")
async def list_todos() -> list[str]:
    return []


class Todos(Service, version="2.0", plugin=Plugin(description_for_model="Use it for todos.")):
    """Keep todos."""

    list_todos = list_todos


class Prompting(Todos, prompts=[plan_day, break_down]):
    pass


async def text_of(client: Client, uri: str) -> str:
    [content] = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content.text


def test_the_description_and_the_specification_are_resources(mode: Mode) -> None:
    async def test(client: Client) -> None:
        listed = {r.uri: r.mime_type for r in (await client.list_resources()).resources}
        assert listed["service-kit://todos/description"] == "text/markdown"
        assert listed["service-kit://todos/openapi.json"] == "application/json"
        about = await text_of(client, "service-kit://todos/description")
        assert about == "# Todos 2.0\n\nUse it for todos.\n"
        document = json.loads(await text_of(client, "service-kit://todos/openapi.json"))
        assert document["servers"] == [{"url": "https://todos.example.com"}]
        assert "/todos" in document["paths"]
        assert client.instructions == "Use it for todos."

    with_agent(Todos, test, mode=mode, options=HttpOptions(url="https://todos.example.com"))


def test_a_specification_that_the_service_edits_is_the_one_that_agents_read() -> None:
    @command(method="GET", path="/openapi.json")
    async def edited() -> dict[str, Any]:
        return {"openapi": "3.1.0", "edited": True}

    class Edited(Todos):
        edit_it = edited

    async def test(client: Client) -> None:
        assert json.loads(await text_of(client, "service-kit://edited/openapi.json"))["edited"] is True

    with_agent(Edited, test)


def test_what_is_no_resource_is_an_error() -> None:
    async def test(client: Client) -> None:
        with pytest.raises(MCPError, match="there is no resource 'service-kit://todos/secrets'"):
            await client.read_resource("service-kit://todos/secrets")

    with_agent(Todos, test)


def test_prompts_are_listed_with_their_arguments_and_rendered_from_texts(mode: Mode) -> None:
    async def test(client: Client) -> None:
        first, second = (await client.list_prompts()).prompts
        assert (first.name, first.title, first.description) == (
            "plan_day",
            "Plan day",
            "Plan a day with what is due.",
        )
        assert first.arguments is not None
        assert [(a.name, a.description, a.required) for a in first.arguments] == [
            ("day", "the day to plan", True),
            ("mood", None, False),
        ]
        assert (second.title, second.arguments) == ("Break", None)
        [message] = (await client.get_prompt("plan_day", {"day": "2030-04-15"})).messages
        assert isinstance(message.content, TextContent)
        assert (message.role, message.content.text) == ("user", "Plan Monday and keep it calm, ann.")

    with_agent(Prompting, test, mode=mode, headers={"x-user": "ann"})


def test_prompts_that_cannot_be_rendered_are_errors_that_tell_no_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(client: Client) -> None:
        with pytest.raises(MCPError, match="argument 'day' does not fit"):
            await client.get_prompt("plan_day", {"day": "soon"})
        with pytest.raises(MCPError, match="there is no prompt 'nothing'"):
            await client.get_prompt("nothing")
        with pytest.raises(MCPError) as caught:
            await client.get_prompt("break_down")
        assert "swordfish" not in str(caught.value)

    with_agent(Prompting, test)
    assert "swordfish" in caplog.text


def test_a_service_without_prompts_does_not_claim_to_have_some() -> None:
    async def test(client: Client) -> None:
        assert client.server_capabilities.prompts is None
        assert client.server_capabilities.tools is not None

    with_agent(Todos, test)
