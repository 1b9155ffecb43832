"""What stands in a service's class body and means nothing there."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from service_kit import DefinitionError, Event, Service, Signal, State, command, subscription, task


class Paid(Event):
    cents: int


@task
async def charge() -> None: ...


@subscription(Paid)
async def tell(event: Paid) -> None: ...


@command
async def version() -> str:
    return "1.0"


async def place() -> None: ...


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"charge": charge}, "service 'Shop', task 'charge': it is not public"),
        ({"tell": tell}, "subscription 'tell': it is not public"),
        (
            {"place": place},
            "'place': it is a plain function, which its clients would run themselves; declare it",
        ),
        ({"version": "1.0"}, "its option 'version' stands in the body; write it as a keyword"),
        ({"a": Signal("x", int), "b": Signal("x", str)}, "two signals have the name 'x'; rename one"),
        ({"a": State("x", int), "b": State("x", int)}, "two states have the name 'x'"),
    ],
)
def test_what_would_be_ignored_in_a_class_body_is_named(body: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        type("Shop", (Service,), body)
    assert message in str(caught.value)


def test_what_has_a_meaning_or_is_private_may_stand_in_a_class_body() -> None:
    both = Signal("x", int)
    body: dict[str, Any] = {
        "version": version,
        "a": both,
        "b": both,
        "x": State("x", int),
        "_place": place,
        "kind": SimpleNamespace(kind="task"),
    }
    type("Shop", (Service,), body)


def test_a_command_that_is_a_method_is_told_to_be_a_function() -> None:
    def declare() -> type[Service]:
        class Shop(Service):
            @command
            async def place(self, sku: str) -> None: ...

        return Shop

    with pytest.raises(DefinitionError, match="it is a method; declare a function outside of the class"):
        declare()


@pytest.mark.parametrize("declare", [Signal, State])
def test_name_and_type_in_the_wrong_order_are_told(declare: Callable[..., Any]) -> None:
    with pytest.raises(
        DefinitionError, match=rf"its name is no text; write {declare.__name__}\('name', type\)"
    ):
        declare(bool, "approved")
