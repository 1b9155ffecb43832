"""Filters of subscriptions: what is one, and which events it lets through."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from service_kit import DefinitionError, Event, subscription
from service_kit.contract.filters import matches


class Line(BaseModel):
    sku: str
    price: float


class Placed(Event):
    tier: str
    amount: float = Field(alias="total")
    note: str | None = None
    lines: tuple[Line, ...] = ()
    first: Line | None = None
    extra: dict[str, Any] = Field(default_factory=dict)


class Open(Event, extra="allow"):
    id: str


def declare(match: Any, *, of: Any = Placed) -> None:
    @subscription(of, match=match)
    async def hear(event: Event) -> None: ...


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ({}, "match is {}; give an object"),
        ({"tier": "gold"}, "match['tier'] is 'gold'; give a list of alternatives"),
        ({"tier": []}, "match['tier'] is []; give a list of alternatives"),
        ({"tier": [("gold",)]}, "match['tier'] has ('gold',); give a text, a number, True, False or None"),
        ({"total": [float("nan")]}, "match['total'] has nan"),
        ({"tier": [{"contains": "a"}]}, "use one operator of prefix, suffix"),
        ({"tier": [{}]}, "use one operator of"),
        (
            {"tier": [{"prefix": 1}]},
            "match['tier'] has {'prefix': 1}; give 'prefix' 'a', or {'equals-ignore-case'",
        ),
        ({"tier": [{"prefix": ["a"]}]}, "give 'prefix' 'a'"),
        ({"tier": [{"prefix": {"suffix": "a"}}]}, "give 'prefix' 'a'"),
        ({"tier": [{"suffix": {"equals-ignore-case": 1}}]}, "give 'suffix' 'a'"),
        ({"tier": [{"equals-ignore-case": None}]}, "give 'equals-ignore-case' 'a'"),
        ({"note": [{"exists": "yes"}]}, "give 'exists' True or False"),
        ({"tier": [{"anything-but": {"numeric": ["=", 1]}}]}, "give 'anything-but' 'a', 1, a list"),
        ({"tier": [{"anything-but": ["a", 1]}]}, "give 'anything-but'"),
        ({"tier": [{"anything-but": []}]}, "give 'anything-but'"),
        ({"tier": [{"anything-but": None}]}, "give 'anything-but'"),
        ({"tier": [{"anything-but": {"prefix": [1]}}]}, "give 'anything-but'"),
        ({"total": [{"numeric": [">", "1"]}]}, "give 'numeric' ['>', 0], or ['>=', 0, '<', 10]"),
        ({"total": [{"numeric": [">", True]}]}, "give 'numeric'"),
        ({"total": [{"numeric": ["<", 10, ">", 1]}]}, "give 'numeric'"),
        ({"total": [{"numeric": [">", 10, "<", 1]}]}, "give 'numeric'"),
        ({"total": [{"numeric": []}]}, "give 'numeric'"),
        (
            {"nope": [1]},
            "match['nope'] is no field of Placed, so that it would hear nothing; match a field of the event",
        ),
        ({"amount": [1]}, "match['amount'] is no field of Placed"),
        ({"lines": {"nope": ["a"]}}, "match['lines']['nope'] is no field of Line"),
        ({"first": {"sku": ["a"], "cost": [1]}}, "as its JSON names it: price, sku"),
        ({"lines": {"sku": [{"prefix": 1}]}}, "match['lines']['sku'] has {'prefix': 1}"),
    ],
)
def test_a_filter_that_could_not_work_is_refused_where_it_is_written(pattern: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        declare(pattern)
    assert message in str(caught.value)
    assert "subscription 'hear'" in str(caught.value)


def test_fields_that_may_be_there_are_let_through() -> None:
    declare({"gone": [{"exists": False}], "extra": {"any": [1]}, "first": {"sku": [None]}})
    declare({"any": [1]}, of=Open)
    declare({"tier": ["gold"]}, of=Placed | Open)


@pytest.mark.parametrize(
    ("wanted", "value", "passes"),
    [
        ([100], 100.0, True),
        ([100.0], 100, True),
        ([1], True, False),
        ([True], 1, False),
        ([True], True, True),
        (["1"], 1, False),
        ([None], None, True),
        ([""], None, False),
        (["a", "b"], ["c", "b"], True),
        (["a"], [["a"]], True),
        (["a"], {"a": 1}, False),
        ([{"prefix": "us-"}], "us-east-1", True),
        ([{"prefix": "us-"}], 5, False),
        ([{"prefix": {"equals-ignore-case": "EventB"}}], "eventbridge", True),
        ([{"suffix": {"equals-ignore-case": "tBridge"}}], "EVENTBRIDGE", True),
        ([{"suffix": ".png"}], "a.PNG", False),
        ([{"equals-ignore-case": "alice"}], "ALICE", True),
        ([{"anything-but": "a"}], "b", True),
        ([{"anything-but": "a"}], "a", False),
        ([{"anything-but": "a"}], 5, True),
        ([{"anything-but": "a"}], None, True),
        ([{"anything-but": "a"}], ["a", "b"], True),
        ([{"anything-but": "a"}], [], False),
        ([{"anything-but": "a"}], {"b": 1}, False),
        ([{"anything-but": [1, 2]}], 2.0, False),
        ([{"anything-but": {"prefix": "a"}}], "abc", False),
        ([{"anything-but": {"prefix": "a"}}], "bcd", True),
        ([{"anything-but": {"suffix": [".png", ".jpg"]}}], "x.jpg", False),
        ([{"anything-but": {"equals-ignore-case": ["A", "b"]}}], "B", False),
        ([{"anything-but": {"equals-ignore-case": "a"}}], "c", True),
        ([{"numeric": [">", 0, "<=", 5]}], 5, True),
        ([{"numeric": [">", 0, "<=", 5]}], 5.1, False),
        ([{"numeric": ["=", 1]}], True, False),
        ([{"numeric": ["=", 1]}], "1", False),
        ([{"exists": True}], None, True),
        ([{"exists": True}], {"a": 1}, False),
        ([{"exists": False}], {"a": 1}, True),
        ([{"exists": False}], [], True),
        ([{"exists": False}], 0, False),
        ({"sku": ["a"]}, [{"sku": "b"}, {"sku": "a"}], True),
        ({"sku": ["a"], "n": [1]}, [{"sku": "b", "n": 1}, {"sku": "a", "n": 2}], False),
        ({"sku": [{"exists": False}]}, {}, True),
    ],
)
def test_events_pass_as_they_do_on_event_bridge(wanted: Any, value: Any, passes: bool) -> None:
    assert matches({"field": wanted}, {"field": value}) is passes


def test_a_field_that_is_absent_passes_only_where_it_may_be() -> None:
    assert matches({"field": [{"exists": False}]}, {})
    assert matches({"field": {"inner": [{"exists": False}]}}, {})
    assert not matches({"field": [{"exists": True}]}, {})
    assert not matches({"field": [{"anything-but": "a"}]}, {})
    assert not matches({"field": [None]}, {})
