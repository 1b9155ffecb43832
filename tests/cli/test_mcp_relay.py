"""`service-kit mcp --url`: a running service for agents that know pipes only."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest
from mcp.client.client import Client

from service_kit.http.mcp import tools
from tests.cli.conftest import Serve, Workshop
from tests.cli.desktop import SHOP, Mode, result, with_desktop
from tests.cli.running import ROOT, SCRIPT


def test_a_running_service_is_relayed(workshop: Workshop, serve: Serve, mode: Mode) -> None:
    workshop.write("shop.py", SHOP)
    from service_kit.cli.targets import create_application

    url = serve(create_application("shop:Shop"))

    async def test(client: Client) -> None:
        assert client.instructions == "Add things up."
        assert await result(client, "add", a=1, b=2) == {"result": 3}
        told: list[str | None] = []

        async def tell(progress: float, total: float | None, message: str | None) -> None:
            told.append(message)

        await client.call_tool("follow", {"count": 2}, progress_callback=tell)
        assert told == ["0", "1"]
        [message] = (await client.get_prompt("greet", {"name": "ann"})).messages
        assert "Greet ann." in message.model_dump_json()
        uri = (await client.list_resources()).resources[0].uri
        assert "Add things up." in (await client.read_resource(uri)).model_dump_json()

    with_desktop(workshop.folder, test, "--url", url, mode=mode)


def test_an_endless_stream_that_nobody_watches_ends_through_a_relay_too(
    workshop: Workshop, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = """
@command
async def forever() -> AsyncIterator[int]:
    yield 1
    await asyncio.Event().wait()

class Endless(Service):
    forever = forever
"""
    workshop.write("shop.py", SHOP + endless)
    from service_kit.cli.targets import create_application

    monkeypatch.setattr(tools, "COLLECTED_S", 0.05)
    url = serve(create_application("shop:Endless"))

    async def test(client: Client) -> None:
        found = await asyncio.wait_for(client.call_tool("forever", {}), 30)
        assert found.structured_content == {"items": [1], "complete": False}

    with_desktop(workshop.folder, test, "--url", url)


def test_a_relay_brings_the_key_where_the_service_wants_it(workshop: Workshop, serve: Serve) -> None:
    workshop.write("shop.py", SHOP + "class ByQuery(Service, security=[query]):\n    by_query = by_query\n")
    from service_kit.cli.targets import create_application

    for target, tool in (("shop:Shop", "by_header"), ("shop:ByQuery", "by_query")):
        url = serve(create_application(target))

        async def test(client: Client, tool: str = tool) -> None:
            assert await result(client, tool) == {"result": "ann"}

        with_desktop(workshop.folder, test, "--url", url, "--api-key", "right")


def test_a_service_that_is_not_there_is_said_to_be_unreachable(workshop: Workshop) -> None:
    script = workshop.write("service-kit", SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), "mcp", "--url", "http://127.0.0.1:1"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "*"},
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "the service at http://127.0.0.1:1 cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
