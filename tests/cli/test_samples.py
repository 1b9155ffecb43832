"""Examples of calls, as the development server shows them."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from service_kit import ApiKey, Bearer, Service, command
from service_kit.cli.samples import curl, sample, sample_of
from service_kit.contract.service import contract_of


class Node(BaseModel):
    name: Annotated[str, Field(min_length=6, max_length=8)]
    parent: Node | None
    children: list[Node] = []


class Endless(BaseModel):
    next: Endless


async def nobody(secret: str) -> str | None:
    return None


@command
async def plant(
    node: Node, day: date, many: Annotated[list[int], Field(min_length=2)], note: str = ""
) -> None: ...


@command(security=[Bearer(nobody)])
async def guarded() -> AsyncIterator[int]:
    yield 1


class Garden(Service, security=[ApiKey(nobody, parameter="X-Key")]):
    plant = plant
    guarded = guarded


@pytest.mark.parametrize(
    "type_",
    [
        int,
        bool,
        float,
        UUID,
        Node,
        dict[str, int],
        tuple[int, str],
        Any,
        Annotated[int, Field(ge=5)],
        Annotated[str, Field(min_length=9)],
        Annotated[str, Field(max_length=2)],
        Annotated[str, Field(examples=["sku-1"])],
    ],
)
def test_a_sample_fits_its_type(type_: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(type_)
    schema = adapter.json_schema()
    adapter.validate_python(sample(schema, schema.get("$defs", {})))


def test_a_sample_has_what_is_required_and_no_more() -> None:
    body = sample_of(plant)
    plant.codec.rpc.adapter.validate_python(body)
    assert body.keys() == {"node", "day", "many"}


def test_a_type_without_end_has_an_end_in_samples() -> None:
    schema = TypeAdapter(Endless).json_schema()
    assert "next" in sample(schema, schema["$defs"])


def test_a_call_to_try_is_a_shell_command_with_credentials() -> None:
    contract = contract_of(Garden)
    words = shlex.split(curl(contract, contract.commands["plant"], "http://127.0.0.1:1"))
    assert words[:4] == ["curl", "http://127.0.0.1:1/rpc/plant", "-H", "X-Key: <key>"]
    assert words[4:7] == ["-H", "content-type: application/json", "-d"]


def test_a_schema_that_says_nothing_has_a_sample() -> None:
    assert sample(True, {}) is None
    assert sample({"$ref": "#/components/schemas/Nowhere"}, {}) is None


def test_a_stream_is_not_buffered() -> None:
    contract = contract_of(Garden)
    words = shlex.split(curl(contract, contract.commands["guarded"], "http://127.0.0.1:1"))
    assert words[:5] == [
        "curl",
        "-N",
        "http://127.0.0.1:1/rpc/guarded",
        "-H",
        "authorization: Bearer <token>",
    ]
