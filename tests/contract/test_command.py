"""What a command is, and what a mistake in one says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from service_kit import Command, DefinitionError, Header, Query, ServiceError, StreamCommand, command


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


def test_unannotated_parameter_is_named() -> None:
    def declare() -> None:
        @command
        async def place(sku) -> None: ...  # type: ignore[no-untyped-def]  # the mistake is the test

    text = mistake(declare)
    assert "place" in text
    assert "parameter 'sku': it has no type annotation; write 'sku: <type>'" in text


def test_missing_result_type_is_named() -> None:
    def declare() -> None:
        @command
        async def place(sku: str): ...  # type: ignore[no-untyped-def]  # the mistake is the test

    assert "its result has no type annotation" in mistake(declare)


def test_path_parameter_that_does_not_exist_is_named() -> None:
    def declare() -> None:
        @command(path="/orders/{order_id}")
        async def place(sku: str) -> None: ...

    assert "path parameter '{order_id}' does not exist; add a parameter 'order_id'" in mistake(declare)


def test_body_parameter_on_a_get_is_named() -> None:
    def declare() -> None:
        @command(method="GET")
        async def place(item: Item) -> None: ...

    assert "parameter 'item': it would be the body of a GET, which has none" in mistake(declare)


def test_type_that_pydantic_cannot_handle_is_named() -> None:
    def declare() -> None:
        @command
        async def place(sku: str, thing: NotAType) -> None: ...

    text = mistake(declare)
    assert "parameter 'thing': pydantic cannot handle" in text
    assert "NotAType" in text


@pytest.mark.parametrize(("options", "message"), [
    ({"method": "FETCH"}, "method 'FETCH' is unknown"),
    ({"path": "orders"}, "write '/orders'"),
    ({"path": "/rpc/orders"}, "where every command has its RPC route"),
    ({"path": "/a/{sku}/{sku}"}, "names 'sku' twice"),
    ({"path": "/a-{sku}"}, "neither plain text nor one '{parameter}'"),
    ({"timeout_s": 0}, "timeout_s is 0"),
    ({"memory_mb": -1}, "memory_mb is -1"),
    ({"errors": [ValueError]}, "list subclasses of ServiceError"),
    ({"sumary": "x"}, "unknown options ['sumary']"),
])  # fmt: skip
def test_wrong_option_is_named(options: Any, message: str) -> None:
    async def place(sku: str) -> None: ...

    assert message in mistake(lambda: command(**options)(place))


def test_field_as_default_value_is_refused_with_the_cure() -> None:
    async def place(sku: str = Field(description="x")) -> None: ...

    assert "write 'sku: Annotated[<type>, FieldInfo(...)]'" in mistake(lambda: command(place))


def test_default_inside_field_is_refused() -> None:
    async def place(sku: Annotated[str, Field(default="x")]) -> None: ...

    assert "its default is inside Field(...)" in mistake(lambda: command(place))


def test_variadic_and_positional_only_parameters_are_refused() -> None:
    async def many(*skus: str) -> None: ...

    async def nameless(sku: str, /) -> None: ...

    assert "parameter 'skus': variadic parameters have no schema" in mistake(lambda: command(many))
    assert "parameter 'sku': it is positional-only" in mistake(lambda: command(nameless))


def test_sync_generator_and_class_are_refused() -> None:
    def items() -> Any:
        yield 1

    assert "it is a sync generator" in mistake(lambda: command(items))
    assert "it is not a function" in mistake(lambda: command(Item))


class Broken(ServiceError, status=418, title="I am a teapot"):
    """Short and stout."""

    spout: str
    handles: int = 1


def test_service_error_has_checked_fields_and_a_title() -> None:
    error = Broken(spout="left")
    assert (error.spout, error.handles, error.status) == ("left", 1, 418)
    assert str(error) == "I am a teapot (spout='left', handles=1)"
    with pytest.raises(ValidationError):
        Broken(spout=["left"])  # type: ignore[arg-type]  # the mistake is the test
    with pytest.raises(ValidationError):
        Broken(spout="left", lid=1)  # type: ignore[call-arg]  # the mistake is the test


def test_service_error_travels_as_members_of_a_problem() -> None:
    members = {**Broken(spout="left").encode_fields(), "type": "urn:x", "status": 418, "new": 1}
    decoded = Broken.decode_fields(members)
    assert isinstance(decoded, Broken)
    assert decoded.fields() == {"spout": "left", "handles": 1}
    with pytest.raises(ValidationError):
        Broken.decode_fields({"handles": 1})


def test_service_error_refuses_reserved_fields_and_statuses_that_are_no_errors() -> None:
    class Reserved(ServiceError):
        detail: str

    assert "field 'detail': every problem has a member of this name" in mistake(Reserved.fields_model)

    def declare() -> None:
        class Fine(ServiceError, status=200): ...

    assert "status 200 is not an HTTP error" in mistake(declare)
