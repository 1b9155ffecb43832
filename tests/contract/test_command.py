"""What a command is, and what a mistake in one says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ValidationError

from service_kit import Command, DefinitionError, Header, Query, StreamCommand, command


class Item(BaseModel):
    sku: str
    amount: int = 1


@dataclass
class Point:
    x: int
    y: int


class NotAType:
    pass


def mistake(declare: Callable[[], object]) -> str:
    with pytest.raises(DefinitionError) as caught:
        declare()
    return str(caught.value)


def test_async_function_is_called_as_itself_in_its_own_process() -> None:
    @command
    async def double(number: int) -> int:
        return number * 2

    assert isinstance(double, Command)
    assert asyncio.run(double(21)) == 42


def test_sync_function_is_awaited_and_runs_in_a_thread() -> None:
    @command
    def where(_prefix: str = "") -> str:
        return threading.current_thread().name

    assert asyncio.run(where()) != threading.current_thread().name


def test_async_generator_is_a_stream_of_its_items() -> None:
    @command
    async def count(to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number

    async def collect() -> list[int]:
        return [number async for number in count(3)]

    assert isinstance(count, StreamCommand)
    assert asyncio.run(collect()) == [0, 1, 2]


def test_async_generator_type_streams_its_first_argument() -> None:
    @command
    async def count() -> AsyncGenerator[int, None]:
        yield 1

    assert count.decode_result(b"7") == 7


def test_body_is_an_object_of_the_parameters_by_name() -> None:
    @command
    async def place(sku: str, *, amount: int = 1) -> None: ...

    decode = place.codec.rpc.decoder()
    assert decode(b'{"sku": "a", "amount": 2}') == {"sku": "a", "amount": 2}
    assert decode(b'{"sku": "a"}') == {"sku": "a"}, "an absent parameter keeps the function's own default"
    assert place.encode_call(["a"], {"amount": 2}) == b'{"sku":"a","amount":2}'


@pytest.mark.parametrize(("annotation", "body", "value"), [
    (Item, b'{"sku": "a"}', Item(sku="a")),
    (Point, b'{"x": 1, "y": 2}', Point(1, 2)),
])  # fmt: skip
def test_a_single_model_is_the_body_itself(annotation: Any, body: bytes, value: object) -> None:
    async def take(it): ...  # type: ignore[no-untyped-def]  # annotated below

    take.__annotations__ = {"it": annotation, "return": None}
    declared: Any = command(take)
    assert declared.codec.rpc.decoder()(body) == {"it": value}


def test_an_unknown_member_of_the_body_is_refused() -> None:
    @command
    async def place(sku: str) -> None: ...

    with pytest.raises(ValidationError, match="amuont"):
        place.codec.rpc.decoder()(b'{"sku": "a", "amuont": 2}')


def test_a_call_with_wrong_arguments_is_a_type_error_that_names_them() -> None:
    @command
    async def place(sku: str, amount: int = 1) -> None: ...

    with pytest.raises(TypeError, match="missing its argument 'sku'"):
        place.encode_call([], {})
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        place.encode_call(["a"], {"colour": 1})
    with pytest.raises(TypeError, match="multiple values for argument 'sku'"):
        place.encode_call(["a"], {"sku": "b"})
    with pytest.raises(TypeError, match="at most 2 positional"):
        place.encode_call(["a", 1, 2], {})


def test_parameters_travel_where_the_route_and_the_markers_say() -> None:
    @command(method="PUT", path="/shops/{shop}/items/{sku}")
    async def put(
        shop: str,
        sku: str,
        item: Item,
        trace_id: Annotated[str, Header()] = "",
        dry: Annotated[bool, Query("dry-run")] = False,
    ) -> None: ...

    assert [(p.name, p.location, p.wire_name) for p in put.codec.parameters] == [
        ("shop", "path", "shop"),
        ("sku", "path", "sku"),
        ("item", "body", "item"),
        ("trace_id", "header", "trace-id"),
        ("dry", "query", "dry-run"),
    ]


def test_parameters_of_a_get_travel_in_the_query() -> None:
    @command(method="GET")
    async def search(text: str, tag: list[str] | None = None, limit: Literal[10, 100] = 10) -> list[str]:
        return []

    assert search.route is not None
    assert (search.route.method, search.route.path) == ("GET", "/search")
    assert {p.location for p in search.codec.parameters} == {"query"}


def test_annotations_may_name_what_is_defined_later() -> None:
    @command
    async def later(it: Later) -> Later:
        return it

    class Later(BaseModel):
        a: int

    with pytest.raises(DefinitionError, match="'Later', which is not defined"):
        later.codec  # noqa: B018 - reading is the test: a local name is known only while its function defines it

    declared = declare_forward()
    assert declared.decode_result(b'{"a": 1}') == DefinedLater(a=1)


def declare_forward() -> Command[..., Any]:
    @command
    async def forward(it: DefinedLater) -> DefinedLater:
        return it

    return forward


class DefinedLater(BaseModel):
    a: int


def test_a_declaration_says_what_agents_read() -> None:
    @command(method="GET")
    async def look(name: str) -> str:
        """Look something up.

        Slowly.
        """
        return name

    assert look.summary == "Look something up."
    assert look.description == "Look something up.\n\nSlowly."
    assert not look.consequential
    assert look.idempotent
