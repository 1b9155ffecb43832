"""A service of ours and a change of one line: what is told of it. Most of it is one table, though long."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import count
from types import ModuleType

import pytest

from service_kit import Service
from service_kit.contract.service import contract_of
from service_kit.diff import compare, describe_durable
from service_kit.openapi import build_specification, downgrade

SOURCE = """
from collections.abc import AsyncIterator
from typing import Annotated, Literal
from pydantic import BaseModel, Field
from service_kit import ApiKey, Event, Service, ServiceError, Signal, State, command, subscription, task, workflow

async def known(secret: str) -> str | None: ...
key = ApiKey(known)

class Part(BaseModel):
    parts: list["Part"] = []

class Item(BaseModel):
    sku: str
    size: Literal["s", "m"] = "s"
    root: Part

class OutOfStock(ServiceError, status=409):
    left: int

class Placed(Event):
    order_id: str

approved = Signal("approved", bool)
stage = State("stage", str)

@subscription(Placed)
async def note(event: Placed) -> None: ...

@task
async def charge(order_id: str) -> int: ...

@workflow
async def process(order_id: str) -> str: ...

@command(method="POST", path="/orders", errors=[OutOfStock])
async def place(sku: str, note: str = "") -> Item: ...

@command(method="GET", path="/orders/{id}")
async def find(id: str, full: bool = False) -> Item: ...

@command
async def follow() -> AsyncIterator[Item]:
    yield

class Orders(Service):
    place = place
    find = find
    follow = follow
    process = process
"""
numbers = count()


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]


def service(*changed: str) -> type[Service]:
    """Return the service, with one text exchanged for another."""
    source = SOURCE
    for old, new in zip(changed[::2], changed[1::2], strict=True):
        assert old in source
        source = source.replace(old, new)
    module = ModuleType(f"shop_{next(numbers)}")
    sys.modules[module.__name__] = module
    exec(compile(source, "shop.py", "exec"), vars(module))
    made: type[Service] = module.Orders
    return made


def told(old: type[Service], new: type[Service]) -> list[str]:
    """Return each change as `verdict: message`."""
    a, b = (build_specification(contract_of(s), url=None) for s in (old, new))
    found = compare(a, b, describe_durable(old), describe_durable(new))
    return [f"{change.verdict}: {change.message}" for change in found]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'note: str = ""',
            'quantity: int, note: str = ""',
            ["breaking: `place` now requires `quantity`: callers that leave it out get 422"],
        ),
        (
            'note: str = ""',
            'quantity: int = 1, note: str = ""',
            ["safe: `place` takes `quantity`, if it is given"],
        ),
        (', note: str = ""', "", ["breaking: `place` no longer takes `note`: callers that send it get 422"]),
        (
            'note: str = ""',
            'note: str = "-"',
            [
                (
                    'breaking: `place` takes `"-"` for `note` where it is left out, no longer `""`: '
                    "callers that leave it out get something else"
                )
            ],
        ),
        (
            'note: str = ""',
            'note: Annotated[str, Field(max_length=9)] = ""',
            [
                (
                    "breaking: `place` takes only at most 9 characters for `note`, where it took any number of "
                    "characters: callers that send anything else get 422"
                )
            ],
        ),
        (
            "full: bool",
            "full: bool | None",
            [],
        ),
        (
            'path="/orders/{id}"',
            'path="/items/{id}"',
            ["breaking: `find` is now at `GET /items/{id}`, no longer at `GET /orders/{id}`"],
        ),
        (
            'method="POST", path="/orders"',
            'method="PUT", path="/orders"',
            ["breaking: `place` is now at `PUT /orders`, no longer at `POST /orders`"],
        ),
        ("    find = find\n", "", ["breaking: `find` was removed"]),
        (
            "    find = find\n",
            "    find = find\n    find_again = command(find.function)\n",
            ["safe: `find_again` is new"],
        ),
        (
            "    find = find\n",
            "    fetch = find\n",
            ["breaking: `find` is now called `fetch`: typed clients and agents call it by its name"],
        ),
        (
            "-> AsyncIterator[Item]:\n    yield",
            "-> Item: ...",
            ["breaking: `follow` now gives one result, where it streamed them"],
        ),
        (
            "    sku: str\n    size",
            "    sku: str\n    color: str\n    size",
            [
                "safe: `place` now always gives `result.color`",
                "safe: `find` now always gives `result.color`",
                "safe: `follow` now always gives `item.color`",
            ],
        ),
        (
            '["s", "m"]',
            '["s", "m", "l"]',
            [
                'breaking: `place` may now give `"l"` for `result.size`: callers that do not know it fail',
                'breaking: `find` may now give `"l"` for `result.size`: callers that do not know it fail',
                'breaking: `follow` may now give `"l"` for `item.size`: callers that do not know it fail',
            ],
        ),
        (
            'parts: list["Part"] = []',
            'parts: list["Part"] = []\n    note: str | None = None',
            [
                "safe: `place` may now give `result.root.note`",
                "safe: `find` may now give `result.root.note`",
                "safe: `follow` may now give `item.root.note`",
            ],
        ),
        ("Part", "Piece", []),
        (
            "left: int",
            "left: int | None",
            ["breaking: `place` may now give null for `OutOfStock.left`: callers that do not expect it fail"],
        ),
        ("status=409", "status=410", ["breaking: `place` fails with `OutOfStock` as 410, no longer as 409"]),
        (", errors=[OutOfStock]", "", ["safe: `place` no longer fails with `OutOfStock`"]),
        (
            'path="/orders/{id}"',
            'path="/orders/{id}", errors=[OutOfStock]',
            [
                (
                    "safe: `find` may now fail with `OutOfStock` (409): callers that do not know it meet it as "
                    "any other failure"
                )
            ],
        ),
        (
            "class Orders(Service)",
            'class Orders(Service, name="shop")',
            [
                (
                    "breaking: `place` tells `OutOfStock` by the type `urn:problem-type:shop:OutOfStock`, no longer "
                    "`urn:problem-type:orders:OutOfStock`: callers that tell errors apart by it do not find it"
                )
            ],
        ),
        (
            'path="/orders/{id}"',
            'path="/orders/{id}", security=[key]',
            ["breaking: `find` no longer admits everybody, only callers with `apiKey`"],
        ),
        (
            "order_id: str\n\napproved",
            "order_id: str\n    total: int\n\napproved",
            ["breaking: event `Placed` now always gives `total`: events on their way cannot be read"],
        ),
        (
            "order_id: str\n\napproved",
            'order_id: str\n    note: str = ""\n\napproved',
            ["safe: event `Placed` may now give `note`"],
        ),
        (
            "order_id: str\n\napproved",
            "pass\n\napproved",
            [
                "breaking: event `Placed` no longer gives `order_id`: subscribers that read it do not find it",
            ],
        ),
        (
            "class Placed(Event)",
            'class Placed(Event, name="order.placed")',
            [
                "breaking: event `Placed` was removed: those who subscribe to it hear nothing any more",
                "safe: event `order.placed` is new",
            ],
        ),
        (
            '"approved", bool',
            '"approved", str',
            [
                (
                    "breaking: signal `approved` takes its payload as text, no longer as true or false: "
                    "senders that send true or false are refused"
                )
            ],
        ),
        (
            '"stage", str',
            '"stage", str | None',
            ["breaking: state `stage` may now give null for its value: readers that do not expect it fail"],
        ),
        (
            "async def process(order_id: str)",
            "async def process(order_id: str, total: int)",
            [
                (
                    "breaking: workflow `process` now requires `total`: callers and running executions that leave it "
                    "out are refused"
                )
            ],
        ),
        (
            "async def charge(order_id: str) -> int",
            "async def charge(order_id: str, amount: int) -> int",
            ["breaking: task `charge` now requires `amount`: calls on their way that leave it out fail"],
        ),
        (
            "async def charge(order_id: str) -> int",
            "async def charge(order_id: str) -> str",
            [
                (
                    "breaking: task `charge` gives its result as text, no longer as a whole number: results that "
                    "executions have recorded cannot be read"
                )
            ],
        ),
        (
            "async def charge(order_id: str) -> int",
            "async def charge(order_id: str) -> int | None",
            ["safe: task `charge` may now give null for its result"],
        ),
        (
            "@task\nasync def charge(order_id: str) -> int: ...",
            "",
            ["breaking: task `charge` was removed: executions that wait for it cannot go on"],
        ),
    ],
)
def test_one_change_is_told_as_a_person_would(old: str, new: str, expected: list[str]) -> None:
    assert told(service(), service(old, new)) == expected


def test_what_is_the_same_is_not_told() -> None:
    assert told(service(), service()) == []


def test_the_older_version_of_the_same_document_is_the_same() -> None:
    document = build_specification(contract_of(service()), url=None)
    assert compare(document, downgrade(document)) == []
    assert compare(downgrade(document), document) == []


def test_a_parameter_that_moves_is_told_once() -> None:
    moved = service(
        '@command(method="GET", path="/orders/{id}")\nasync def find(id: str, full: bool = False)',
        '@command(method="POST", path="/orders/{id}")\nasync def find(id: str, full: bool = False)',
    )
    assert told(service(), moved) == [
        "breaking: `find` is now at `POST /orders/{id}`, no longer at `GET /orders/{id}`",
        "breaking: `find` takes `full` in the body, no longer in the query",
    ]
