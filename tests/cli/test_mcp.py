"""`service-kit mcp` as desktop agents use it: a process of its own, pipes, the official client."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from mcp.client.client import Client

from tests.cli.conftest import Workshop
from tests.cli.desktop import SHOP, Mode, result, with_desktop
from tests.cli.running import ROOT, SCRIPT


def test_an_agent_uses_everything_of_a_service_over_pipes(workshop: Workshop, mode: Mode) -> None:
    workshop.write("shop.py", SHOP)

    async def test(client: Client) -> None:
        assert client.instructions == "Add things up."
        assert await result(client, "add", a=1, b=2) == {"result": 3}
        told: list[str | None] = []

        async def tell(progress: float, total: float | None, message: str | None) -> None:
            told.append(message)

        followed = await client.call_tool("follow", {"count": 2}, progress_callback=tell)
        assert followed.structured_content == {"items": [0, 1], "complete": True}
        assert told == ["0", "1"]
        started = await result(client, "agree-start", input={"on": "peace"})
        await result(client, "agree-signal", **started, signal="agreed", payload="yes")
        assert (await result(client, "agree-status", **started, wait_s=20))["result"] == "peace: yes"
        assert [p.name for p in (await client.list_prompts()).prompts] == ["greet"]
        assert len((await client.list_resources()).resources) >= 2

    said = with_desktop(workshop.folder, test, "shop.py", mode=mode)
    for line in ("printed at import", "opened", "printed by a command", "POST   /rpc/add", "closed"):
        assert line in said


def test_executions_go_on_where_another_process_left_them(workshop: Workshop) -> None:
    workshop.write("shop.py", SHOP)
    database = str(workshop.folder / "shop.db")

    async def start(client: Client) -> None:
        await result(client, "agree-start", input={"on": "peace"}, id="a")

    async def finish(client: Client) -> None:
        await result(client, "agree-signal", id="a", signal="agreed", payload="yes")
        assert (await result(client, "agree-status", id="a", wait_s=20))["result"] == "peace: yes"

    with_desktop(workshop.folder, start, "shop:Shop", "--database", database)
    with_desktop(workshop.folder, finish, "shop:Shop", "--database", database)


def test_what_admits_the_agent_comes_with_the_options(workshop: Workshop) -> None:
    workshop.write("shop.py", SHOP)

    async def test(client: Client) -> None:
        assert await result(client, "by_header") == {"result": "ann"}
        assert await result(client, "by_query") == {"result": "ann"}
        assert await result(client, "user") == {"result": "ann"}

    with_desktop(workshop.folder, test, "shop:Shop", "--api-key", "right", "-H", "x-user: ann")

    async def stranger(client: Client) -> None:
        refused = await client.call_tool("by_header", {})
        assert (refused.is_error, refused.structured_content["status"]) == (True, 401)

    with_desktop(workshop.folder, stranger, "shop:Shop")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_though_its_input_stays_open(workshop: Workshop, signum: int) -> None:
    workshop.write("shop.py", SHOP)
    script = workshop.write("service-kit", SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script), "mcp", "shop:Shop"],
        cwd=workshop.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        assert process.stdin is not None
        assert any("opened" in line for line in process.stderr)
        process.send_signal(signum)
        assert "closed" in process.stderr.read()
        assert process.wait(30) == 0
        process.stdin.close()


def test_a_service_that_cannot_start_says_why_though_its_input_stays_open(workshop: Workshop) -> None:
    workshop.write(
        "broken.py",
        """
        from contextlib import asynccontextmanager
        from service_kit import Service

        @asynccontextmanager
        async def lifespan():
            print("on the way")
            raise RuntimeError("no database")
            yield

        class Broken(Service, lifespan=lifespan):
            pass
        """,
    )
    script = workshop.write("service-kit", SCRIPT)
    with subprocess.Popen(
        [sys.executable, str(script), "mcp", "broken"],
        cwd=workshop.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.wait(60) == 1
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == ""
        said = process.stderr.read()
    assert "on the way" in said
    assert "RuntimeError: no database" in said
    assert "error: the service did not start" in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "it is not clear what to serve"),
        (["shop:Shop", "--url", "http://127.0.0.1:1"], "a service and a URL are two things"),
        (["--url", "shop"], "'shop' is no URL of a service"),
        (["nothing:Shop"], "there is no module 'nothing'"),
        (["plain.py", "--api-key", "k"], "service 'plain' asks for no API key"),
    ],
)
def test_what_cannot_be_served_is_said_before_anything_is(
    workshop: Workshop, arguments: list[str], told: str
) -> None:
    workshop.write("plain.py", "from service_kit import Service\nclass Plain(Service): pass\n")
    found = workshop.run("mcp", *arguments)
    assert (found.exit_code, told in found.stderr) == (2, True)
    assert found.stdout == ""
