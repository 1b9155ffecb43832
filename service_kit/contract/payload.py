"""Values as durable payloads: JSON text, equal for equal values in every process."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, SchemaSerializer

from service_kit.contract.codec import CommandCodec
from service_kit.contract.durable import durable_serializer

UNEXPECTED = re.compile(
    r"PydanticSerializationUnexpectedValue\((.*) - serialized value may not be as expected \[(.*)\]\)"
)


class PayloadCodec:
    """One type's values as JSON text.

    A replay compares what a workflow asks for by digests of this text. The order of a set differs between
    processes (hashes of strings are salted), so members of sets are sorted.
    """

    def __init__(self, adapter: TypeAdapter[Any], whose: str = "the value") -> None:
        self._adapter = adapter
        self._whose = whose

    @functools.cached_property
    def _serializer(self) -> SchemaSerializer:
        return durable_serializer(self._adapter, self._whose)

    @functools.cached_property
    def _against_none(self) -> str | None:
        try:
            self._adapter.validator.validate_python(None)
        except ValidationError as error:
            return error.errors(include_url=False)[0]["msg"]
        return None

    def encode(self, value: Any) -> str:
        """Return the text; raise PydanticSerializationError for a value of another type, TypeError for a secret."""
        if value is None and self._against_none is not None:
            # pydantic writes it for any type; whoever reads it could not tell where it comes from.
            raise self._refusal(f"{self._against_none}, not None (is a `return` missing?)")
        try:
            return self._serializer.to_json(value, by_alias=True, warnings="error").decode()
        except PydanticSerializationError as error:
            values: Iterable[object] = value.values() if isinstance(value, dict) else (value,)
            missing = " (is an `await` missing?)" if any(map(inspect.iscoroutine, values)) else ""
            raise self._refusal(plainly(str(error)) + missing) from error

    def decode(self, text: str) -> Any:
        """Return the value; raise pydantic's ValidationError."""
        return self._adapter.validator.validate_json(text)

    def _refusal(self, why: str) -> PydanticSerializationError:
        return PydanticSerializationError(f"{self._whose} is not of its type: {why}")


class CallCodec:
    """The arguments of a task or workflow, and its result, as payloads."""

    def __init__(self, codec: CommandCodec, whose: str) -> None:
        self._codec = codec
        self._arguments = PayloadCodec(codec.rpc.adapter, f"what {whose} is given")
        self._decode = codec.rpc.decoder()
        self.result: PayloadCodec = PayloadCodec(codec.output, f"what {whose} returns")

    def encode_arguments(self, arguments: dict[str, Any]) -> str:
        """Return the text of arguments by name."""
        flat = self._codec.rpc.flat
        if flat is None:
            return self._arguments.encode(arguments)
        return self._arguments.encode(arguments[flat.name]) if flat.name in arguments else ""

    def decode_arguments(self, text: str) -> dict[str, Any]:
        """Return arguments by name; raise pydantic's ValidationError."""
        return self._decode(text.encode())


def plainly(told: str) -> str:
    """Return what pydantic says of a value of another type, without the names of its own classes."""
    lines = [line.strip() for line in told.splitlines() if line != "Pydantic serializer warnings:"]
    return "; ".join(UNEXPECTED.sub(r"\1 [\2]", line) for line in lines)
