"""Values as durable payloads: JSON text, equal for equal values in every process."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from service_kit.contract.codec import CommandCodec


class PayloadCodec:
    """One type's values as JSON text.

    A replay compares what a workflow asks for by digests of this text. The order of a set differs between
    processes (hashes of strings are salted), so members of sets are sorted.
    """

    def __init__(self, adapter: TypeAdapter[Any]) -> None:
        self._adapter = adapter
        self._has_sets = _mentions_sets(adapter.core_schema)

    def encode(self, value: Any) -> str:
        """Return the text; raise PydanticSerializationError for a value of another type."""
        if not self._has_sets:
            return self._adapter.serializer.to_json(value, by_alias=True, warnings="error").decode()
        plain = self._adapter.dump_python(value, mode="python", by_alias=True, warnings="error")
        return to_json(_sorted_sets(plain)).decode()

    def decode(self, text: str) -> Any:
        """Return the value; raise pydantic's ValidationError."""
        return self._adapter.validator.validate_json(text)


class CallCodec:
    """The arguments of a task or workflow, and its result, as payloads."""

    def __init__(self, codec: CommandCodec) -> None:
        self._codec = codec
        self._arguments = PayloadCodec(codec.rpc.adapter)
        self._decode = codec.rpc.decoder()
        self.result: PayloadCodec = PayloadCodec(codec.output)

    def encode_arguments(self, arguments: dict[str, Any]) -> str:
        """Return the text of arguments by name."""
        flat = self._codec.rpc.flat
        if flat is None:
            return self._arguments.encode(arguments)
        return self._arguments.encode(arguments[flat.name]) if flat.name in arguments else ""

    def decode_arguments(self, text: str) -> dict[str, Any]:
        """Return arguments by name; raise pydantic's ValidationError."""
        return self._decode(text.encode())


def _mentions_sets(schema: Any) -> bool:
    pending: list[Any] = [schema]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, dict):
            if item.get("type") in ("set", "frozenset"):
                return True
            pending += [value for key, value in item.items() if key not in ("metadata", "cls", "config")]
        elif isinstance(item, list | tuple):
            pending += item
    return False


def _sorted_sets(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted((_sorted_sets(member) for member in value), key=to_json)
    if isinstance(value, dict):
        return {key: _sorted_sets(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_sorted_sets(member) for member in value]
    return value
