"""JSON Schemas of everything a document mentions, generated in one go, so that they share their components."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from pydantic.json_schema import (
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    JsonSchemaWarningKind,
)
from pydantic_core import CoreSchema, PydanticSerializationError

Json: TypeAlias = dict[str, Any]

REF_TEMPLATE = "#/components/schemas/{model}"


class Slot(NamedTuple):
    """What a schema is for: `Slot("place_order", "output")`."""

    owner: str
    role: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """One schema to generate."""

    slot: Slot
    core: Any
    """The core schema of a TypeAdapter."""
    mode: JsonSchemaMode
    inline: bool = False
    """Whether to spell it out where it is used, though it has a name."""


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas by slot, and the components that they refer to by name."""

    by_slot: Mapping[Slot, Json]
    components: Mapping[str, Json]

    def __getitem__(self, slot: Slot) -> Json:
        """Return a schema of one's own, to add keywords to."""
        return dict(self.by_slot[slot])


def generate(wanted: Sequence[Wanted]) -> Schemas:
    """Return every schema wanted; types of one name get distinct ones, equal schemas share one."""
    inputs = [(w.slot, w.mode, _unnamed(w.core) if w.inline else w.core) for w in wanted]
    by_key, components = _Generator(ref_template=REF_TEMPLATE).generate_definitions(inputs)
    by_slot = {slot: schema for (slot, _), schema in by_key.items()}
    return Schemas(by_slot, {str(name): components[name] for name in sorted(components)})


def _unnamed(core: Any) -> Any:
    if core["type"] == "definitions":
        return {**core, "schema": _unnamed(core["schema"])}
    return {key: value for key, value in core.items() if key != "ref"}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, for documents that machines read and that must not fail at serving time."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - pydantic's own declaration

    def normalize_name(self, name: str) -> str:
        # `Page[Order]` as `Page_Order`; pydantic tells names apart that become equal by this.
        return super().normalize_name(name).rstrip("_-") or name

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # 'order_id' as 'Order Id' tells nobody anything, and agents pay by the token

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        return value  # the order of generation is determined already

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        return {}  # what pydantic validates but cannot describe is any value to a reader

    def encode_default(self, dft: Any) -> Any:
        encoded = super().encode_default(dft)
        if isinstance(encoded, float) and not math.isfinite(encoded):
            raise PydanticSerializationError("JSON has no such number")
        return encoded

    def update_with_validations(
        self, json_schema: JsonSchemaValue, core_schema: CoreSchema, mapping: dict[str, str]
    ) -> None:
        super().update_with_validations(json_schema, core_schema, mapping)
        for keyword in mapping.values():
            bound = json_schema.get(keyword)
            if isinstance(bound, float) and not math.isfinite(bound):
                del json_schema[keyword]  # no bound at all, and no JSON


def without_null(schema: Json) -> Json:
    """Return the schema of the values that a text can spell: `T | None` as `T`, an absent one being the null."""
    choices = [c for c in schema.get("anyOf", ()) if c != {"type": "null"}]
    if not choices or len(choices) == len(schema["anyOf"]):
        return schema
    outer = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**choices[0], **outer} if len(choices) == 1 else {"anyOf": choices, **outer}


def unique_name(name: str, taken: Mapping[str, object]) -> str:
    """Return a legal component name close to `name` that is not taken."""
    legal = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    candidate, number = legal, 2
    while candidate in taken:
        candidate, number = f"{legal}_{number}", number + 1
    return candidate
