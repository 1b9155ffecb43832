"""`service-kit routes`."""

from __future__ import annotations

import json

from tests.cli.conftest import Workshop

SECURED = """
from fastapi import APIRouter
from service_kit import ApiKey, Bearer, Service, command

async def nobody(secret: str) -> str | None:
    return None

key, token = ApiKey(nobody), Bearer(nobody)
router = APIRouter()

@router.get("/raw", summary="Something raw")
def raw() -> str:
    return "raw"

@command(method="GET", path="/things/{id}")
async def get_thing(id: int) -> str:
    '''Get a thing.'''
    return ""

@command(security=[])
async def ping() -> str:
    '''Answer.'''
    return ""

class Things(Service, security=[key, token], routes=[router]):
    get_thing = get_thing
    ping = ping
"""


def test_routes_are_listed_for_people(workshop: Workshop) -> None:
    lines = [line.split() for line in workshop.run("routes", "orders").stdout.splitlines()]
    assert ["POST", "/orders", "place_order", "Place", "an", "order.", "409", "OutOfStock", "open"] in lines
    assert ["POST", "/rpc/place_order"] in lines
    assert [
        "POST",
        "/rpc/tail",
        "tail",
        "(stream)",
        "Follow",
        "the",
        "orders.",
        "409",
        "OutOfStock",
        "open",
    ] in lines


def test_routes_are_listed_for_programs(workshop: Workshop) -> None:
    workshop.write("things.py", SECURED)
    rows = json.loads(workshop.run("routes", "things", "--json").stdout)
    assert rows[0] == {
        "method": "GET",
        "path": "/things/{id}",
        "command": "get_thing",
        "summary": "Get a thing.",
        "streaming": False,
        "errors": [],
        "security": ["apiKey", "bearer"],
    }
    assert [(row["method"], row["path"], row["command"], row["security"]) for row in rows[1:]] == [
        ("POST", "/rpc/get_thing", "get_thing", ["apiKey", "bearer"]),
        ("POST", "/rpc/ping", "ping", []),
        ("GET", "/raw", None, ["apiKey", "bearer"]),
    ]
