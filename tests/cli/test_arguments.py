"""Arguments of `service-kit call`: from words to JSON, as the parameters' types say."""

from __future__ import annotations

import enum
import json
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypedDict

from service_kit.cli.arguments import encode_arguments, is_argument
from service_kit.cli.failures import Unusable


class Size(enum.Enum):
    SMALL = "1"
    LARGE = "2"


class Inner(BaseModel):
    x: int


class Parameters(TypedDict, total=False):
    text: str
    number: int
    ratio: float
    flag: bool
    maybe: str | None
    either: int | str
    day: date
    size: Size
    level: Literal["1", "2"]
    texts: list[str]
    numbers: list[int] | None
    inner: Inner
    anything: Any


SCHEMA = TypeAdapter(Parameters).json_schema()


def _encoded(*words: str, schema: dict[str, Any] | None = None) -> Any:
    return json.loads(encode_arguments(words, SCHEMA if schema is None else schema))


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("text=12", "12"),
        ("text=true", "true"),
        ("text=a=b", "a=b"),
        ("text=", ""),
        ("text=two words", "two words"),
        ("number=12", 12),
        ("number=twelve", "twelve"),
        ("ratio=1.5", 1.5),
        ("flag=true", True),
        ("flag=yes", "yes"),
        ("maybe=null", None),
        ("maybe=12", "12"),
        ("either=12", 12),
        ("either=x", "x"),
        ("day=2030-01-31", "2030-01-31"),
        ("size=1", "1"),
        ("level=2", "2"),
        ("texts=12", ["12"]),
        ('texts=["a", "b"]', ["a", "b"]),
        ("numbers=12", [12]),
        ("numbers=null", None),
        ('inner={"x": 1}', {"x": 1}),
        ("anything=12", 12),
        ("text:=12", 12),
        ("unknown=12", 12),
        ("unknown=x", "x"),
    ],
)
def test_a_pair_is_taken_as_its_parameter_says(word: str, value: object) -> None:
    assert list(_encoded(word).values()) == [value]


def test_repeated_pairs_make_a_list() -> None:
    assert _encoded("texts=a", "texts=1", "number=2") == {"texts": ["a", "1"], "number": 2}


def test_without_a_schema_a_pair_is_json_where_it_can_be() -> None:
    assert _encoded("a=1", "b=x", "c=[1]", schema={}) == {"a": 1, "b": "x", "c": [1]}


def test_an_object_is_sent_as_it_is() -> None:
    assert encode_arguments(['{"text":  "a" }'], SCHEMA) == b'{"text":  "a" }'


def test_no_arguments_are_an_empty_body() -> None:
    assert encode_arguments([], SCHEMA) == b""


def test_an_object_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "arguments.json").write_text('{"text": "ä"}', encoding="utf-8")
    assert _encoded(f"@{tmp_path / 'arguments.json'}") == {"text": "ä"}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["{oops"], "the arguments are not JSON"),
        (["oops"], "the arguments are not JSON"),
        (["a=1", "oops"], "'oops' is no argument"),
        (["number:=x"], "argument 'number' is not JSON"),
        (["number=1", "number=2"], "argument 'number' is given twice"),
        (["@no-such-file"], "cannot read no-such-file"),
    ],
)
def test_what_cannot_be_read_is_told(words: list[str], problem: str) -> None:
    with pytest.raises(Unusable) as caught:
        encode_arguments(words, SCHEMA)
    assert problem in caught.value.problem


@pytest.mark.parametrize("word", ["a=1", "a:=1", "{}", "[1]", "-", "@file", "a-b=", "a.b=1"])
def test_arguments_are_told_from_names(word: str) -> None:
    assert is_argument(word)


@pytest.mark.parametrize("word", ["place_order", "orders:Orders", "src/orders.py:Orders", "orders"])
def test_names_are_told_from_arguments(word: str) -> None:
    assert not is_argument(word)
