"""Fields that no client could read: what a service sends is written under one name, and read under another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import TypeAdapter

from service_kit.contract.read_back import UnreadableField, unreadable_in
from service_kit.contract.service import ServiceContract


def unreadable_fields(contract: ServiceContract) -> Iterator[UnreadableField]:
    """Yield the fields of inputs, results and errors that cannot be read back, each once.

    Both sides write and read by the same types, so that a name must be the same both ways.
    """
    seen: set[UnreadableField] = set()
    for adapter in _adapters(contract):
        for found in unreadable_in(adapter.core_schema):
            if found not in seen:
                seen.add(found)
                yield found


def _adapters(contract: ServiceContract) -> Iterable[TypeAdapter[Any]]:
    for declared in contract.commands.values():
        yield declared.codec.rpc.adapter
        yield declared.codec.output
        if declared.codec.rest is not None and declared.codec.rest.body is not None:
            yield declared.codec.rest.body.adapter
    for error in contract.errors.values():
        yield TypeAdapter(error.fields_model())
