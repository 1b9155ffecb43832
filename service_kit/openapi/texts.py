"""Schemas of values that travel as text, in a path, a query or a header."""

from __future__ import annotations

from typing import Any

from service_kit.openapi.schemas import Json


def text_schema(schema: Json, core: Any) -> Json:
    """Return the schema of the values that a text can spell.

    `T | None` is `T`, an absent parameter being the null, and a decimal is a number: as text it is exact anyway.
    LangChain's converters, among others, do not read unions there.
    """
    choices = [c for c in schema.get("anyOf", ()) if c != {"type": "null"}]
    if _is_decimal(core):
        choices = [c for c in choices if c.get("type") == "number"] or choices
    if not choices or len(choices) == len(schema["anyOf"]):
        return schema
    outer = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**choices[0], **outer} if len(choices) == 1 else {"anyOf": choices, **outer}


def _is_decimal(core: Any) -> bool:
    while "schema" in core:
        core = core["schema"]
    return bool(core["type"] == "decimal")
