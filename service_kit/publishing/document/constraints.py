"""What JSON Schema demands of a value beside its type, as metadata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, core_schema

from service_kit.publishing.document.read import Json
from service_kit.publishing.expressions import Call, Display, Expression, Imported, Text
from service_kit.publishing.values import Unspeakable, value_of

FIELD = Imported("pydantic", "Field")

_NUMBERS = {"minimum": "ge", "maximum": "le", "multipleOf": "multiple_of"}
_BOUNDS = (("exclusiveMinimum", "minimum", "ge", "gt"), ("exclusiveMaximum", "maximum", "le", "lt"))
_SIZES = {
    "string": {"minLength": "min_length", "maxLength": "max_length"},
    "array": {"minItems": "min_length", "maxItems": "max_length"},
    "object": {"minProperties": "min_length", "maxProperties": "max_length"},
}


def constraints_of(schema: Json, kind: str) -> Iterator[tuple[str, Expression]]:
    """Yield the constraints that pydantic has for a type of JSON, as arguments of `Field`."""
    if kind in ("integer", "number"):
        yield from _numbers(schema)
    for keyword, argument in _SIZES.get(kind, {}).items():
        if isinstance(schema.get(keyword), int):
            yield argument, Text(str(schema[keyword]))
    if kind == "string" and "pattern" in schema and is_pattern(schema["pattern"]):
        yield "pattern", plain(schema["pattern"])


def descriptions_of(schema: Json) -> Iterator[tuple[str, Expression]]:
    """Yield what a schema says to its readers, as arguments of `Field`."""
    description = schema.get("description")
    if isinstance(description, str) and description.strip():
        yield "description", plain(description.strip())
    examples = schema.get("examples", [schema["example"]] if "example" in schema else None)
    if isinstance(examples, list) and examples:
        yield "examples", plain(examples)
    if schema.get("deprecated") is True:
        yield "deprecated", Text("True")


def field(arguments: tuple[tuple[str, Expression], ...]) -> tuple[Call, ...]:
    """Return a `Field(...)` with these arguments, or nothing if there are none."""
    return (Call(FIELD, arguments),) if arguments else ()


def plain(value: Any) -> Expression:
    """Return a value of JSON as an expression."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return Text(str(int(value)))
    if isinstance(value, list):
        return Display("[", tuple(map(plain, value)), "]")
    return value_of(value, _no_class)


def is_pattern(pattern: object) -> bool:
    """Tell whether pydantic's regular expressions have all that a pattern uses; look-arounds they have not."""
    try:
        SchemaValidator(core_schema.str_schema(pattern=str(pattern)))
    except SchemaError:
        return False
    return True


def _numbers(schema: Json) -> Iterator[tuple[str, Expression]]:
    found = {argument: schema[k] for k, argument in _NUMBERS.items() if _is_number(schema.get(k))}
    for exclusive, inclusive, kept, narrow in _BOUNDS:
        bound = schema.get(exclusive)
        if bound is True and inclusive in schema:  # as OpenAPI 3.0 has it
            found[narrow] = found.pop(kept)
        elif _is_number(bound):
            found[narrow] = bound
    for argument in ("gt", "ge", "lt", "le", "multiple_of"):
        if argument in found:
            yield argument, plain(found[argument])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _no_class(cls: type) -> Expression:
    raise Unspeakable(f"{cls} is not of JSON")
