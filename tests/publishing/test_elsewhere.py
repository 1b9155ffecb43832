"""Programs of another team, where there is `client_kit` and no server code: they call real services with contracts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service_kit.cli.app import app
from tests.publishing.conftest import ROOT, Elsewhere

OPTIONAL = {"aiohttp", "langchain_core", "langchain", "mypy", "boto3", "botocore", "pytest"}
"""What some modules of `client_kit` are made for, and need."""

IMPORT_ALL = """
import importlib, importlib.metadata, pkgutil, sys
import client_kit
missing = set()
for found in pkgutil.walk_packages(client_kit.__path__, "client_kit.", onerror=lambda name: None):
    try:
        importlib.import_module(found.name)
    except ModuleNotFoundError as error:
        missing.add(error.name.partition(".")[0])
print(*sorted(missing))
print(*sorted(d.name.lower() for d in importlib.metadata.distributions()))
print("service_kit" in sys.modules)
"""


def test_nothing_of_the_client_imports_server_code(elsewhere: Elsewhere) -> None:
    missing, installed, loaded = elsewhere.run("-c", IMPORT_ALL).splitlines()
    assert set(missing.split()) <= OPTIONAL
    assert {"httpx", "pydantic", "service-kit"} <= set(installed.split())
    assert not {"fastapi", "starlette", "uvicorn", "typer"} & set(installed.split())
    assert loaded == "False"


def _vendor(elsewhere: Elsewhere, plugin: str, package: str) -> None:
    """Copy a contract and the plugin's client, which differs in nothing but where it imports from."""
    shutil.copytree(ROOT.joinpath(*package.split(".")), elsewhere.folder / f"{plugin}_contract")
    client = (ROOT / "plugins" / plugin / "client.py").read_text()
    moved = re.sub(rf"from plugins\.{plugin}\.\w+ import", f"from {plugin}_contract import", client)
    (elsewhere.folder / "client.py").write_text(moved)


def test_the_orders_client_runs_with_the_published_contract(elsewhere: Elsewhere, orders_url: str) -> None:
    _vendor(elsewhere, "orders", "stubs.orders_contract")
    printed = elsewhere.run("client.py", orders_url)
    assert "  its workflow   pay-o-1, track-o-1\n" in printed
    assert "  by events      o-2 1 lamp for 49.00 (shipped)\n" in printed
    assert "a dear order     awaiting approval, running\n" in printed
    assert "  approved       by ann; track-o-3\n" in printed
    assert "cancel_order     OrderCancelled, with its fields: reason=changed my mind\n" in printed
    assert "place_order      OutOfStock, with its fields: sku=sofa, left=1\n" in printed
    assert "place_orders     shipped: o-5, o-6\n" in printed


@pytest.mark.parametrize("package", ["stubs.todo_contract", "stubs.openapi.todo_contract"])
def test_the_todo_client_runs_with_both_contracts(elsewhere: Elsewhere, todo_url: str, package: str) -> None:
    _vendor(elsewhere, "todo", package)
    printed = elsewhere.run("client.py", todo_url)
    assert "add_todo                  2 file taxes (open, high, due 2030-04-15)" in printed
    assert "add_todo, same key twice  4 call mum (open, normal), then again number 4" in printed
    assert "list_todos(priority=high) 2 file taxes (open, high, due 2030-04-15)\n" in printed
    assert "get_todo(3)               TodoNotFound, with its fields: todo_id=3" in printed
    assert "export_todos, a stream    4 call mum (open, normal)" in printed
    assert "watch_todos, a stream     completed: 1 buy milk (done, normal)" in printed


def test_a_running_service_is_enough_to_publish_its_contract(todo_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "todo_contract"
    result = CliRunner().invoke(app, ["contract", "--openapi", f"{todo_url}/openapi.json", "-o", str(folder)])
    assert result.exit_code == 0, result.output
    assert f'URL = "{todo_url}"' in (folder / "__init__.py").read_text()
    committed = ROOT / "stubs/openapi/todo_contract"
    for name in ("models.py", "errors.py", "service.py"):
        assert (folder / name).read_text() == (committed / name).read_text()
