"""Values from texts: path segments, query parameters, headers."""

from __future__ import annotations

import enum
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AnyUrl, BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from service_kit.contract.strings import StringCodec, shape_of


class Level(enum.IntEnum):
    low = 1


class Mixed(enum.Enum):
    text = "text"
    two = 2


class Tree(BaseModel):
    children: list[Tree]


def codec_of(type_: Any) -> StringCodec:
    adapter: TypeAdapter[Any] = TypeAdapter(type_)
    return StringCodec(adapter, shape_of(adapter))


@pytest.mark.parametrize(("type_", "texts", "value"), [
    (int, ["7"], 7),
    (int, ["-07"], -7),
    (Annotated[int, BeforeValidator(lambda text: int(text, 16))], ["1f"], 31),
    (float, ["1.5"], 1.5),
    (bool, ["true"], True),
    (str, ["true"], "true"),
    (int | None, ["7"], 7),
    (date, ["2026-01-31"], date(2026, 1, 31)),
    (Decimal, ["1.10"], Decimal("1.10")),
    (UUID, ["12345678-1234-5678-1234-567812345678"], UUID("12345678-1234-5678-1234-567812345678")),
    (Level, ["1"], Level.low),
    (Mixed, ["2"], Mixed.two),
    (Mixed, ["text"], Mixed.text),
    (Literal[1, "a"], ["1"], 1),
    (Literal[1, "a"], ["a"], "a"),
    (Literal[True], ["true"], True),
    (list[int], ["1", "2"], [1, 2]),
    (set[str], ["a", "a"], {"a"}),
    (list[Literal[1, 2]], ["1", "2"], [1, 2]),
    (list[int] | None, ["3"], [3]),
    (tuple[int, ...], ["3"], (3,)),
])  # fmt: skip
def test_text_becomes_the_value_of_its_type(type_: Any, texts: list[str], value: object) -> None:
    decoded = codec_of(type_).decode(texts)
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(("type_", "text"), [
    (int, "seven"),
    (int, "true"),
    (int, "1.0"),
    (int, "1_0"),
    (int | None, " 1"),
    (int | None, "null"),
    (Annotated[list[int], Field(max_length=3)], "1.0"),
    (list[int], "true"),
    (Annotated[int, Field(ge=1)], "true"),
    (Annotated[int, Field(ge=1)], "0"),
    (Literal[1, 2], "3"),
    (Mixed, "3"),
    (list[int], "x"),
    (Literal[1], "1e400"),
    (Literal[1], "[" * 100_000),
])  # fmt: skip
def test_text_that_does_not_fit_is_refused(type_: Any, text: str) -> None:
    with pytest.raises(ValidationError):
        codec_of(type_).decode([text])


@pytest.mark.parametrize(("type_", "shape"), [
    (AnyUrl, "scalar"),
    (int | str, "scalar"),
    (list[int | None], "list"),
    (list[list[int]], "structure"),
    (dict[str, int], "structure"),
    (Tree, "structure"),
    (Tree | None, "structure"),
    (list[Tree], "structure"),
])  # fmt: skip
def test_shape_says_what_fits_into_texts(type_: Any, shape: str) -> None:
    assert codec_of(type_).shape == shape
