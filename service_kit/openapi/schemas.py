"""JSON Schemas of everything a document mentions, generated in one go, so that they share their components."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from pydantic.json_schema import (
    DefsRef,
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    JsonSchemaWarningKind,
)
from pydantic_core import CoreSchema, PydanticSerializationError

from service_kit.openapi.names import Definition, mark_of, name_definitions, parse, rename, write

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
    inputs: list[tuple[Slot, JsonSchemaMode, Any]] = [
        (w.slot, w.mode, _unnamed(w.core) if w.inline else w.core) for w in wanted
    ]
    generator = _Generator(ref_template=REF_TEMPLATE)
    by_key, generated = generator.generate_definitions(inputs)
    definitions = [
        Definition(mark, *generator.origins[mark], write(schema)) for mark, schema in generated.items()
    ]
    names = name_definitions(definitions)
    components = {names[d.mark]: parse(rename(d.text, names)) for d in definitions}
    slots = [slot for slot, _ in by_key]
    schemas = parse(rename(write(list(by_key.values())), names))
    return Schemas(dict(zip(slots, schemas, strict=True)), components)


def _unnamed(core: Any) -> Any:
    if core["type"] in ("definitions", "nullable"):
        return {**core, "schema": _unnamed(core["schema"])}
    return {key: value for key, value in core.items() if key != "ref"}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, for documents that machines read and that must not fail at serving time.

    Definitions get marks instead of names, which `names` replaces by its own.
    """

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - pydantic's own declaration
    origins: dict[str, tuple[str, str]]
    """The type and the mode of every mark."""

    def __init__(self, ref_template: str) -> None:
        super().__init__(ref_template=ref_template)
        self.origins = {}

    def get_defs_ref(self, core_mode_ref: tuple[Any, JsonSchemaMode]) -> DefsRef:
        mark = DefsRef(mark_of(len(self.origins)))
        self.origins[mark] = core_mode_ref
        # The one choice leaves pydantic's own naming nothing to do, which takes most of its time.
        self._prioritized_defsref_choices[mark] = [mark]
        return mark

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
