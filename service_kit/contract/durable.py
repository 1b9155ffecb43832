"""Which serializer writes what is kept: arguments and results of tasks and workflows, signals, states, events."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer

from service_kit.contract.request_writer import holds_secrets
from service_kit.contract.set_order import ordering_serializer


def durable_serializer(adapter: TypeAdapter[Any], whose: str) -> SchemaSerializer:
    """Return the serializer; raise TypeError for a type with secrets, of which only pydantic's stars would be kept."""
    if holds_secrets(adapter):
        raise TypeError(
            f"{whose} holds a SecretStr, SecretBytes or Secret, which is kept as '**********'; give the name under "
            "which the secret is found, or a str, which is as safe at rest as the service's codecs make it"
        )
    return ordering_serializer(adapter) or adapter.serializer
