"""What a mistake in a command says: the function, the parameter, the cure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from types import ModuleType
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, PlainSerializer, RootModel
from typing_extensions import TypeAliasType

from service_kit import DefinitionError, Event, Retry, Service, ServiceError, command, subscription, workflow
from service_kit.contract.gather import gather
from service_kit.contract.service import contract_of


class Item(BaseModel):
    sku: str


class NotAType:
    pass


def mistake(declare: Callable[[], object]) -> str:
    with pytest.raises(DefinitionError) as caught:
        declare()
    return str(caught.value)


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
    ({"errors": ServiceError}, "give a list of subclasses of ServiceError"),
    ({"security": None}, "security is None; give a list of schemes, [] to open it"),
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


def test_one_error_name_for_two_errors_of_a_command_is_named() -> None:
    def error(module: str) -> type[ServiceError]:
        return type("Gone", (ServiceError,), {"__module__": module})

    async def place(sku: str) -> None: ...

    text = mistake(lambda: command(errors=[error("first"), error("second")])(place))
    assert "two errors have the name 'Gone' (first and second); rename one" in text


def test_two_events_of_one_name_are_named_even_if_one_is_known_by_its_subscription_alone() -> None:
    def declare(module: str) -> type[Event]:
        return type("Placed", (Event,), {"__module__": module})

    own, other = declare("shop"), declare("elsewhere")

    @subscription(other)
    async def on_placed(event: Event) -> None: ...

    class Shop(Service):
        Placed = own

    for names in ({"Placed": own, "on_placed": on_placed}, {"on_placed": on_placed, "Placed": own}):
        module = ModuleType("shop")
        vars(module).update(names)
        text = mistake(lambda: gather(contract_of(type("Other", (Shop,), {}, include=[module]))))  # noqa: B023 - called at once
        assert "event 'Placed': two of this name belong to one service" in text
        assert "rename one" in text


def test_a_workflow_that_yields_is_told_what_shows_its_progress() -> None:
    def declare() -> None:
        @workflow  # type: ignore[arg-type]  # the mistake is the test
        async def count() -> AsyncIterator[int]:
            yield 1

    assert "it yields; return its result; what it shows meanwhile is a State" in mistake(declare)


def test_a_length_of_time_as_backoff_is_told_to_be_a_number() -> None:
    wrong: Any = timedelta(seconds=1)
    assert "give a number; times are in seconds" in mistake(lambda: Retry(backoff_s=wrong))


class Numbers(RootModel[list[int]]): ...


class Paid(Event):
    total: Decimal
    parts: list[Decimal] | None
    cents: int
    weights: list[float | None]
    anything: Any
    pair: tuple[Decimal, int]
    root: Numbers


@pytest.mark.parametrize("match", [{"total": [{"numeric": [">", 5]}]}, {"parts": [3]}])
def test_a_filter_for_numbers_on_what_is_text_in_json_is_refused(match: dict[str, Any]) -> None:
    def declare() -> None:
        @subscription(Paid, match=match)
        async def hear(event: Paid) -> None: ...

    assert "wants a number, and the event's JSON has " in mistake(declare)
    assert "(a Decimal is a string), so that it would hear nothing" in mistake(declare)


Nested = TypeAliasType("Nested", "list[Nested] | int")
Letters = TypeAliasType("Letters", "list[Letters] | str")


class Basket(Event):
    pieces: int
    inner: Basket | None = None
    nested: Nested = 0
    letters: Letters = ""
    price: Annotated[Decimal, PlainSerializer(lambda price: float(price))]
    tag: object = object()


@pytest.mark.parametrize("field", ["cents", "weights", "anything", "pair", "root"])
def test_a_filter_for_numbers_on_what_may_be_one_is_fine(field: str) -> None:
    @subscription(Paid, match={field: [{"numeric": [">", 5]}, 3]})
    async def hear(event: Paid) -> None: ...


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("field", ["pieces", "nested", "price", "tag"])
def test_a_filter_for_numbers_on_an_event_that_holds_itself_or_writes_itself_is_fine(field: str) -> None:
    @subscription(Basket, match={field: [3]})
    async def hear(event: Basket) -> None: ...


def test_a_filter_for_numbers_on_text_that_holds_itself_is_refused() -> None:
    def declare() -> None:
        @subscription(Basket, match={"letters": [3]})
        async def hear(event: Basket) -> None: ...

    assert "the event's JSON has string there" in mistake(declare)
