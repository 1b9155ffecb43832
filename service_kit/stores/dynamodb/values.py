"""Python values as DynamoDB's attribute values, and back; and how much room they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Value: TypeAlias = "str | int | float | bytes | list[Value] | dict[str, Value]"
Item: TypeAlias = "dict[str, Value]"
"""One item, its keys included. An attribute that is None is left out."""

MOST_BYTES = 400 * 1024
"""What DynamoDB takes for one item, names of attributes included."""


def marshal(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _out(value) for name, value in item.items() if value is not None}


def unmarshal(item: Mapping[str, Any]) -> Item:
    return {name: _in(value) for name, value in item.items()}


def size_bytes(marshalled: Mapping[str, Any]) -> int:
    """Return about what an item takes, as DynamoDB counts it."""
    return sum(len(name.encode()) + _size(value) for name, value in marshalled.items())


def _out(value: Any) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case int() | float():
            return {"N": repr(value)}
        case bytes():
            return {"B": value}
        case list() | tuple():
            return {"L": [_out(each) for each in value]}
        case Mapping():
            return {"M": {name: _out(each) for name, each in value.items()}}
        case _:
            raise TypeError(f"{type(value).__name__} is no value of DynamoDB")


def _in(value: Mapping[str, Any]) -> Value:
    ((kind, held),) = value.items()
    match kind:
        case "S" | "B":
            return held  # type: ignore[no-any-return] # str or bytes, says the kind
        case "N":
            return int(held) if held.lstrip("-").isdigit() else float(held)
        case "L":
            return [_in(each) for each in held]
        case "M":
            return {name: _in(each) for name, each in held.items()}
        case _:
            raise TypeError(f"the table has a value of kind {kind!r}, which this version does not write")


def _size(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "L":
            return 3 + sum(1 + _size(each) for each in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(each) for name, each in held.items())
        case _:
            return len(held)
