"""The orders service as a process of its own, and its consumers: demo, typed client, curl, agents."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from openapi_spec_validator import validate

from tests.cli.running import Running, eventually
from tests.plugins.conftest import LOOPBACK_ONLY, ROOT, Run
from tests.plugins.test_transcript import SHOWN, printed_by, programs, transcript

PAGE = "plugins/orders/README.md"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Serve as the README says, on a free port and in a folder of its own."""
    running = Running(tmp_path, "dev", "plugins.orders.service:Orders", "--port", "0", "--no-reload")
    try:
        yield running.url
    finally:
        running.close()


def test_the_demo_breaks_the_pipeline_mends_it_and_goes_on_after_a_restart(run: Run) -> None:
    printed = run("plugins/orders/demo.py")
    assert "emit             o-7 was announced twice, and is shipped once\n" in printed
    assert "dead_letters     PaymentProcessed of o-8, at ship_order_after_payment:\n" in printed
    assert "redrive          1 delivered again; o-8 is shipped\n" in printed
    assert "approve_order    o-9, track-o-9\n" in printed


def test_the_typed_client_orders_in_every_way(run: Run, url: str) -> None:
    printed = run("-m", "plugins.orders.client", url)
    assert "  its workflow   pay-o-1, track-o-1\n" in printed
    assert "  by events      o-2 1 lamp for 49.00 (shipped)\n" in printed
    assert "a dear order     awaiting approval, running\n" in printed
    assert "  approved       by ann; track-o-3\n" in printed
    assert "cancel_order     OrderCancelled, with its fields: reason=changed my mind\n" in printed
    assert "place_order      OutOfStock, with its fields: sku=sofa, left=1\n" in printed
    assert "place_orders     shipped: o-5, o-6\n" in printed
    assert "executions       o-5 succeeded, child of batch-o-5\n" in printed
    assert "executions       o-4 failed\n" in printed


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_command_of_the_page_prints_what_it_shows(url: str) -> None:
    steps = list(transcript(PAGE))
    assert len(steps) >= 15
    for command, shown in steps:
        printed = partial(_printed, command.replace(SHOWN, url), url)
        if "-d '" in command:
            assert printed() == shown.strip(), command
        else:  # what is only read may be a moment behind
            eventually(partial(_equal, printed, shown.strip()))


@pytest.mark.parametrize(("command", "shown"), programs(PAGE))
def test_every_program_prints_what_the_page_shows(run: Run, url: str, command: str, shown: str) -> None:
    assert printed_by(run, url, command) == shown.strip()


def test_the_code_of_the_page_is_the_code_of_the_service() -> None:
    source = "".join(path.read_text() for path in sorted((ROOT / "plugins/orders").glob("*.py")))
    shown = re.findall(r"```python fragment\n(.*?)```", (ROOT / PAGE).read_text(), re.DOTALL)
    assert len(shown) == 2
    assert all(code in source for code in shown)


def test_the_page_names_every_file() -> None:
    page = (ROOT / PAGE).read_text()
    for path in (ROOT / "plugins/orders").glob("*.py"):
        assert f"| `{path.name}` |" in page
        assert ast.get_docstring(ast.parse(path.read_text()))


def test_agents_find_a_manifest_that_leads_to_a_valid_specification_of_the_commands(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False) as web:
        manifest = web.get("/.well-known/ai-plugin.json").json()
        document = web.get(manifest["api"]["url"]).json()
        older = web.get("/openapi.json?version=3.0").json()
    assert (manifest["schema_version"], manifest["name_for_model"]) == ("v1", "orders")
    assert len(manifest["description_for_human"]) <= 100
    validate(document)
    validate(older)
    operations = {
        operation["operationId"] for path in document["paths"].values() for operation in path.values()
    }
    assert operations == {
        "list_articles", "place_order", "place_orders", "get_order", "approve_order", "cancel_order",
    }  # fmt: skip


def _printed(command: str, url: str) -> str:
    environment = {**os.environ, **LOOPBACK_ONLY}
    done = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.replace(url, SHOWN).strip()


def _equal(printed: Callable[[], str], shown: str) -> bool:
    return printed() == shown
