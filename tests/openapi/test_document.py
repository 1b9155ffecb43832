"""The document as a whole: valid, complete, the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from service_kit import Plugin, Service, command
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification, downgrade
from tests.openapi.shop import CornerShop

SHOP = contract_of(CornerShop)


def empty(node: Any) -> None:
    """Take everything out of every object and list."""
    if isinstance(node, dict | list):
        for value in list(node.values()) if isinstance(node, dict) else list(node):
            empty(value)
        node.clear()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the operations by id."""
    return {op["operationId"]: op for item in document["paths"].values() for op in item.values()}


@pytest.mark.parametrize("include_rpc", [False, True])
def test_a_service_of_everything_is_valid_in_both_versions(include_rpc: bool) -> None:
    document = build_specification(SHOP, url="https://shop.example.com", include_rpc=include_rpc)
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()
    older = downgrade(document)
    assert older["openapi"] == "3.0.3"
    OpenAPIV30SpecValidator(older).validate()


def test_a_service_without_anything_is_valid_in_both_versions() -> None:
    class Nothing(Service):
        pass

    document = build_specification(contract_of(Nothing), url=None)
    OpenAPIV31SpecValidator(document).validate()
    OpenAPIV30SpecValidator(downgrade(document)).validate()
    assert "security" not in document


def test_info_and_servers_come_from_the_service_and_its_url() -> None:
    document = build_specification(SHOP, url="https://shop.example.com/v2/")
    assert document["info"]["title"] == "CornerShop"
    assert document["info"]["version"] == "2.1"
    assert document["info"]["description"].startswith("Sell things around the corner.")
    assert document["servers"] == [{"url": "https://shop.example.com/v2"}]
    assert build_specification(SHOP, url=None)["servers"] == [{"url": "/"}]


def test_every_command_is_in_the_document_once_without_the_rpc_face() -> None:
    found = operations(build_specification(SHOP, url=None))
    assert set(found) == set(SHOP.commands)


def test_a_command_without_a_rest_route_shows_its_rpc_route_always() -> None:
    paths = build_specification(SHOP, url=None)["paths"]
    assert paths["/rpc/ping"]["post"]["operationId"] == "ping"
    assert "/rpc/get_order" not in paths


def test_both_faces_have_ids_of_their_own() -> None:
    document = build_specification(SHOP, url=None, include_rpc=True)
    found = operations(document)
    rest = sum(c.route is not None for c in SHOP.commands.values())
    assert len(found) == sum(len(item) for item in document["paths"].values()) == len(SHOP.commands) + rest
    assert found["rpc_get_order"]["summary"] == found["get_order"]["summary"]


def test_an_rpc_id_that_is_a_command_s_name_is_made_another() -> None:
    @command(method="GET")
    async def pay() -> str: ...

    @command(method="GET")
    async def rpc_pay() -> str: ...

    class Desk(Service):
        locals().update(pay=pay, rpc_pay=rpc_pay)

    document = build_specification(contract_of(Desk), url=None, include_rpc=True)
    assert set(operations(document)) == {"pay", "rpc_pay", "rpc_pay_", "rpc_rpc_pay"}


def test_summary_description_tags_and_deprecation_are_shown() -> None:
    found = operations(build_specification(SHOP, url=None))
    assert found["get_order"]["summary"] == "Find one order."
    assert found["get_order"]["description"] == "Find one order.\n\nWhoever asks must own it."
    assert found["ping"]["summary"] == found["ping"]["description"] == "Look around"
    assert found["put_order"]["tags"] == ["orders", "edit"]
    assert found["rpc_ping"]["deprecated"] is True
    assert build_specification(SHOP, url=None)["tags"] == [{"name": "orders"}, {"name": "edit"}]


def test_what_an_agent_must_ask_before_is_marked() -> None:
    found = operations(build_specification(SHOP, url=None))
    marks = {name: op["x-openai-isConsequential"] for name, op in found.items()}
    assert marks["get_order"] is False
    assert marks["put_order"] is True
    assert marks["ping"] is False


def test_paths_that_differ_in_the_names_of_parameters_only_are_one_path() -> None:
    paths = build_specification(SHOP, url=None)["paths"]
    assert set(paths["/orders/{order_id}"]) == {"get", "put", "delete"}
    assert "/orders/{id}" not in paths
    [parameter] = [p for p in paths["/orders/{order_id}"]["put"]["parameters"] if p["in"] == "path"]
    assert parameter["name"] == "order_id"


def test_the_document_is_the_same_in_every_process() -> None:
    program = (
        "from tests.openapi.shop import CornerShop\n"
        "from service_kit.contract.service import contract_of\n"
        "from service_kit.openapi import build_specification, render_json\n"
        "print(render_json(build_specification(contract_of(CornerShop), url=None, include_rpc=True)).etag)\n"
    )
    root = Path(__file__).parents[2]
    tags = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "42")
    }
    assert len(tags) == 1
    assert tags.pop().startswith('"')


def test_the_room_is_imported_without_a_web_framework_or_yaml() -> None:
    program = (
        "import sys, service_kit.openapi\n"
        "print([m for m in ('fastapi', 'starlette', 'yaml', 'openapi_pydantic', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_building_twice_gives_equal_documents_that_share_nothing() -> None:
    first = build_specification(SHOP, url=None)
    second = build_specification(SHOP, url=None)
    assert first == second
    empty(first)
    assert build_specification(SHOP, url=None) == second


def test_a_subclass_with_another_plugin_has_the_same_operations() -> None:
    class Branch(CornerShop, plugin=Plugin(name_for_model="branch")):
        pass

    document = build_specification(contract_of(Branch), url=None)
    assert document["paths"].keys() == build_specification(SHOP, url=None)["paths"].keys()
