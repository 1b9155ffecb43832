"""`service-kit tools`: function tools of the model APIs, from a class or from a URL."""

from __future__ import annotations

import json
from pathlib import Path

from service_kit.cli.targets import load_service
from tests.cli.conftest import Serve, Workshop

NAMES = ["place_order", "tail", "forget"]


def test_tools_of_openai_are_strict(workshop: Workshop) -> None:
    result = workshop.run("tools", "orders", "--format", "openai")
    assert result.exit_code == 0
    tools = json.loads(result.stdout)
    assert [tool["function"]["name"] for tool in tools] == NAMES
    assert all(tool["function"]["strict"] for tool in tools)
    assert tools[0]["function"]["parameters"]["required"] == ["sku", "quantity", "gift"]


def test_tools_of_anthropic_keep_optional_arguments(workshop: Workshop) -> None:
    tools = json.loads(workshop.run("tools", "orders", "--format", "anthropic").stdout)
    assert [(tool["name"], tool["strict"]) for tool in tools] == [(name, True) for name in NAMES]
    assert tools[0]["input_schema"]["required"] == ["sku"]
    assert (
        "strict"
        not in json.loads(workshop.run("tools", "orders", "--format", "anthropic", "--no-strict").stdout)[0]
    )


def test_the_neutral_form_says_how_to_call(workshop: Workshop) -> None:
    tools = json.loads(workshop.run("tools", "orders").stdout)
    assert tools[0]["request"]["method"] == "POST"
    assert tools[0]["request"]["path"] == "/orders"
    assert tools[0]["request"]["arguments"]["sku"] == {"in": "member", "name": "sku"}
    assert [tool["streaming"] for tool in tools] == [False, True, False]


def test_a_running_service_gives_the_same_tools(workshop: Workshop, serve: Serve) -> None:
    url = serve(load_service("orders").asgi())
    for format in ("openai", "anthropic", "json"):
        here = workshop.run("tools", "orders", "--format", format)
        there = workshop.run("tools", "--url", url, "--format", format)
        assert (here.stdout, here.stderr) == (there.stdout, there.stderr)


def test_what_cannot_be_strict_is_told_beside_the_tools(workshop: Workshop) -> None:
    workshop.write(
        "labels.py",
        """
        from typing import Annotated
        from pydantic import Field
        from service_kit import Service, command

        @command
        async def label(texts: dict[str, str]) -> None:
            '''Label.'''

        @command
        async def title(text: Annotated[str, Field(max_length=9)]) -> None:
            '''Title.'''

        class Labels(Service):
            '''Label.'''
            label = label
            title = title
        """,
    )
    result = workshop.run("tools", "labels", "--format", "openai")
    assert [tool["function"]["strict"] for tool in json.loads(result.stdout)] == [False, True]
    assert result.stderr.splitlines() == [
        "not strict: label: 'texts' has members of any name",
        "only described: title: text: maxLength",
    ]


def test_tools_can_be_chosen_and_written_to_a_file(workshop: Workshop, tmp_path: Path) -> None:
    result = workshop.run("tools", "orders", "--only", "forget", "-o", "tools.json")
    assert (result.exit_code, result.stdout) == (0, "")
    assert [tool["name"] for tool in json.loads((tmp_path / "tools.json").read_text())] == ["forget"]
    wrong = workshop.run("tools", "orders", "--only", "forgot")
    assert wrong.exit_code == 2
    assert "it has place_order, tail, forget" in wrong.stderr


def test_one_service_is_asked_for(workshop: Workshop) -> None:
    assert workshop.run("tools").exit_code == 2
    assert workshop.run("tools", "orders", "--url", "http://127.0.0.1:1").exit_code == 2
    unreachable = workshop.run("tools", "--url", "http://127.0.0.1:1")
    assert unreachable.exit_code == 1
    assert "the document of http://127.0.0.1:1 cannot be read" in unreachable.stderr
