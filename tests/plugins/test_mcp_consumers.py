"""Clients of MCP that the pages' other tests do not run: over pipes, and in an environment of their own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.cli.running import Running
from tests.plugins.conftest import LOOPBACK_ONLY, ROOT, Run, served
from tests.plugins.test_transcript import ELSEWHERE, SHOWN, programs

PAGE = "plugins/todo/README.md"
PACKAGE = "langchain-mcp-adapters==0.3.2"


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest) -> Path:
    """Return the interpreter of the environment; made once (half a minute) and kept in pytest's cache."""
    cache = request.config.cache
    assert cache is not None, "the plugin is never switched off here"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = cache.mkdir("environments") / f"{PACKAGE.replace('==', '-')}-{version}"
    if not home.exists():
        _make(home)
    return home / "bin" / "python"


def _make(home: Path) -> None:
    """Make the environment beside its place, and move it there: another process may be as far."""
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        made = Path(folder, "made")
        subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
        pip = [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, PACKAGE], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            pytest.skip(f"{PACKAGE} cannot be installed here: {reason}")
        if not home.exists():
            made.rename(home)


def test_the_official_client_sees_the_same_over_pipes(run: Run) -> None:
    [shown] = [shown for command, shown in programs(PAGE) if "mcp_client" in command]
    assert run("-m", "plugins.todo.mcp_client").strip() == shown.strip()


def test_each_owner_of_a_key_has_tools_of_his_own_list(secured_url: str) -> None:
    async def titles(key: str, added: str) -> list[str]:
        headers = {"x-api-key": key}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False) as http,
            Client(streamable_http_client(f"{secured_url}/mcp", http_client=http)) as client,
        ):
            await client.call_tool("add_todo", {"title": added})
            listed = await client.call_tool("list_todos", {})
            return [todo["title"] for todo in listed.structured_content["todos"]]

    assert asyncio.run(titles("secret-of-ann", "buy milk")) == ["buy milk"]
    assert asyncio.run(titles("secret-of-ben", "call mum")) == ["call mum"]


@contextmanager
def served_todos(_: Path) -> Iterator[str]:
    with served("plugins.todo.service:Todos.asgi", {}) as url:
        yield url


@contextmanager
def served_orders(folder: Path) -> Iterator[str]:
    running = Running(folder, "dev", "plugins.orders.service:Orders", "--port", "0", "--no-reload")
    try:
        yield running.url
    finally:
        running.close()


@pytest.mark.parametrize(
    ("page", "serve"),
    [(PAGE, served_todos), ("plugins/orders/README.md", served_orders)],
    ids=["todo", "orders"],
)
def test_its_programs_print_what_the_page_shows(
    page: str, serve: object, python: Path, tmp_path: Path
) -> None:
    [(command, shown)] = programs(page, ELSEWHERE)
    with serve(tmp_path) as url:  # type: ignore[operator]  # one of the two above
        words = [word.replace(SHOWN, url) for word in command.split()[1:]]
        done = subprocess.run(
            [str(python), *words],
            cwd=ROOT,
            env={**os.environ, **LOOPBACK_ONLY, "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.replace(url, SHOWN).strip() == shown.strip()
