"""Serializers of requests: what pydantic would hide or lose, and the service could not tell from what was meant.

They are pydantic's own, built from the type's core schema with one thing replaced: a `SecretStr`, `SecretBytes` or
`Secret[...]` is written as it is, and not as `**********`. Infinity and NaN, for which it writes null, are refused.
Results keep pydantic's stars: a service that answers with a secret does not mean to tell it.
`client_kit.contracts` does the same for published contracts, which share no code with this package.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, SchemaSerializer, core_schema, from_json

_NO_SCHEMAS = frozenset({"metadata", "config", "default", "expected", "members"})
"""What may hold objects and lists and is no part of a value's schema."""


def _tell(secret: Any) -> Any:
    return secret.get_secret_value()


_TOLD = core_schema.plain_serializer_function_ser_schema(_tell, when_used="unless-none")


class RequestWriter:
    """Writes the values of one type as a caller sends them."""

    def __init__(self, adapter: TypeAdapter[Any]) -> None:
        self._adapter = adapter

    def write(self, value: Any) -> bytes:
        """Return the JSON; raise PydanticSerializationError for a value of another type, or one that JSON has not."""
        written = self._serializer.to_json(value, by_alias=True, warnings="error")
        if b"null" in written and self._has_floats:
            given = self._serializer.to_python(value, mode="json", by_alias=True)
            for number in _lost(given, from_json(written)):
                raise PydanticSerializationError(f"JSON has no number {number!r}, and null is something else")
        return written

    @functools.cached_property
    def _has_floats(self) -> bool:
        return _has_floats(self._adapter.core_schema)

    @functools.cached_property
    def _serializer(self) -> SchemaSerializer:
        schema = self._adapter.core_schema
        told = _told(schema)
        if told is schema:
            return self._adapter.serializer
        return build_serializer(told)


def build_serializer(schema: Any) -> SchemaSerializer:
    """Return the serializer of a schema that was changed; for no class in it the one that it has built for itself."""
    try:
        return SchemaSerializer(schema, _use_prebuilt=False)
    except (
        TypeError
    ):  # pydantic 2.12 has no such switch, and needs none where a node's `serialization` is the node
        return SchemaSerializer(schema)


def holds_secrets(adapter: TypeAdapter[Any]) -> bool:
    """Return whether values of a type may hold what pydantic writes as `**********`."""
    schema = adapter.core_schema
    return _told(schema) is not schema


def _told(schema: Any) -> Any:
    """Return the schema that writes secrets; this very one if it has none."""
    if isinstance(schema, list | tuple):
        items = [_told(item) for item in schema]
        same = all(new is old for new, old in zip(items, schema, strict=True))
        return schema if same else type(schema)(items)
    if not isinstance(schema, Mapping):
        return schema
    how = schema.get("serialization")
    if _is_node(schema) and isinstance(how, Mapping):
        return {**schema, "serialization": _TOLD} if _hides(how) else schema
    changed = {key: new for key, old in _parts(schema) if (new := _told(old)) is not old}
    if not changed:
        return schema
    told = {**schema, **changed}
    return {**told, "serialization": told} if schema.get("type") in ("model", "dataclass") else told


def _is_node(schema: Mapping[str, Any]) -> bool:
    """Tell whether this is a schema, and not fields or choices by their names."""
    return isinstance(schema.get("type"), str)


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a schema is made of, by name."""
    named = not _is_node(schema)
    return ((key, part) for key, part in schema.items() if named or key not in _NO_SCHEMAS)


def _hides(how: Mapping[str, Any]) -> bool:
    """Tell whether this is how pydantic itself writes a secret, and no function of the user's."""
    function = how.get("function")
    name, module = getattr(function, "__name__", ""), getattr(function, "__module__", "")
    return module == "pydantic.types" and name.startswith("_serialize_secret")


def _has_floats(schema: Any) -> bool:
    if isinstance(schema, list | tuple):
        return any(map(_has_floats, schema))
    if not isinstance(schema, Mapping):
        return False
    return schema.get("type") == "float" or any(_has_floats(part) for _, part in _parts(schema))


def _lost(given: Any, written: Any) -> Iterator[float]:
    """Yield the numbers in whose place there is null."""
    match given:
        case float():
            if written is None and not math.isfinite(given):
                yield given
        case dict():
            for key, member in given.items():
                yield from _lost(member, written.get(key) if isinstance(written, dict) else member)
        case list() | tuple():
            if isinstance(written, list):
                for one, other in zip(given, written, strict=False):
                    yield from _lost(one, other)
        case _:
            pass
