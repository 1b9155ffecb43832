"""Values that travel as text: path segments, query parameters and headers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

_INTEGER = re.compile(r"-?[0-9]+")

Shape: TypeAlias = Literal["scalar", "list", "structure"]

_LISTS = frozenset({"list", "set", "frozenset", "tuple"})
_STRUCTURES = frozenset(
    {
        "model",
        "model-fields",
        "typed-dict",
        "dataclass",
        "dataclass-args",
        "dict",
        "arguments",
        "generator",
        "json",
    }
)


def shape_of(adapter: TypeAdapter[Any]) -> Shape:
    """Tell whether values of this type fit into one text, into repeated texts, or into none."""
    return _shape(adapter.core_schema, {}, depth=0)


def _shape(schema: Any, definitions: dict[str, Any], depth: int) -> Shape:
    kind = schema["type"]
    if kind in _STRUCTURES or depth > 20:
        return "structure"
    if kind in _LISTS:
        return (
            "list"
            if all(_shape(s, definitions, depth + 1) == "scalar" for s in _items(schema))
            else "structure"
        )
    inner = [_shape(s, definitions, depth + 1) for s in _inner(schema, definitions)]
    shape: Shape
    for shape in ("structure", "list"):
        if shape in inner:
            return shape
    return "scalar"


def _items(schema: Any) -> list[Any]:
    found = schema.get("items_schema")
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _inner(schema: Any, definitions: dict[str, Any]) -> list[Any]:
    match schema["type"]:
        case "definitions":
            definitions.update({d["ref"]: d for d in schema["definitions"]})
            return [schema["schema"]]
        case "definition-ref":
            return [definitions[schema["schema_ref"]]] if schema["schema_ref"] in definitions else []
        case "union":
            return [c[0] if isinstance(c, tuple) else c for c in schema["choices"]]
        case "tagged-union":
            return list(schema["choices"].values())
        case "lax-or-strict":
            return [schema["lax_schema"]]
        case "json-or-python":
            return [schema["json_schema"]]
        case "chain":
            return [schema["steps"][0]]
        case _:
            return [schema["schema"]] if "schema" in schema else []


class StringCodec:
    """Read one parameter from the texts that a request carried for it.

    Numbers, booleans, dates and the like are coerced as pydantic reads strings; a literal or an enum
    of numbers, which pydantic would only compare with text, is read as the JSON scalar it looks like.
    Integers are digits alone: the `1.0`, `1_0` and ` 1 ` that pydantic also takes are none elsewhere.
    """

    def __init__(self, adapter: TypeAdapter[Any], shape: Shape) -> None:
        self.adapter = adapter
        self.shape = shape
        self._integers = _are_integers(adapter.core_schema)

    def decode(self, texts: Sequence[str]) -> Any:
        """Return the value; raise pydantic's ValidationError."""
        if self._integers:
            for text in texts:
                if not _INTEGER.fullmatch(text):
                    raise _not_an_integer(text)
        try:
            if self.shape == "list":
                return self.adapter.validator.validate_python(list(texts))
            return self.adapter.validate_strings(texts[-1])
        except ValidationError:
            scalars = [_json_scalar(text) for text in texts]
            if all(scalar is text for scalar, text in zip(scalars, texts, strict=True)):
                raise
            import json

            try:
                # As JSON, which has enums by value; strict, or `true` would be the integer 1.
                sent = json.dumps(scalars if self.shape == "list" else scalars[-1])
                return self.adapter.validator.validate_json(sent, strict=True)
            except ValidationError:
                pass  # the first failure speaks of what was sent
            raise


def _are_integers(schema: Any) -> bool:
    """Tell whether pydantic itself reads these integers, and no function of the user's."""
    match schema["type"]:
        case "int":
            return True
        case "nullable" | "default":
            return _are_integers(schema["schema"])
        case "list" | "set" | "frozenset":
            return "items_schema" in schema and _are_integers(schema["items_schema"])
        case _:
            return False


def _not_an_integer(text: str) -> ValidationError:
    return ValidationError.from_exception_data("int", [{"type": "int_parsing", "loc": (), "input": text}])


def _json_scalar(text: str) -> Any:
    """Return `text` as the number or boolean it spells in JSON, or the text itself."""
    import json  # only texts that do not fit come here

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, bool | int | float) else text
