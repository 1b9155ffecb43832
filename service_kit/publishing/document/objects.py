"""Objects of JSON Schema as models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, cast

from service_kit.publishing.definitions import Class, Ledger, Line
from service_kit.publishing.document.constraints import FIELD
from service_kit.publishing.document.defaults import default_of
from service_kit.publishing.document.read import Document, Json
from service_kit.publishing.document.words import attribute_name, class_name
from service_kit.publishing.expressions import (
    NONE,
    Call,
    Expression,
    Imported,
    Local,
    String,
    Text,
    union,
)
from service_kit.publishing.naming import free_name
from service_kit.publishing.values import Unspeakable

_BASE_MODEL = Imported("pydantic", "BaseModel")
_SPARSE_MODEL = Imported("client_kit.contracts", "SparseModel")


class Reader(Protocol):
    """Reads the schemas that an object mentions."""

    document: Document
    ledger: Ledger

    def read(self, schema: Any, hint: str, *, described: bool = True) -> Expression: ...

    def component(self, name: str) -> Expression: ...


class ObjectReader:
    """Makes models of objects, each of which may extend others."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def define(self, key: str, name: str, schema: Json) -> None:
        """Add the model of an object to the ledger."""
        doc = str(schema.get("description") or "").strip()
        # Known before it is read: it may mention itself.
        self._reader.ledger.definitions[key] = Class(name, "", "models", (_BASE_MODEL,), doc=doc)
        bases = list(dict.fromkeys(self._bases(schema)))
        own = self._own(schema)
        required = {str(x) for part in self._parts(schema) for x in part.get("required", ())}
        lines: dict[str, Line] = {}
        sparse = False
        for property_, members in own.items():
            field = free_name(attribute_name(property_), lines)
            lines[field], may_be_absent = self._line(name, property_, field, members, property_ in required)
            sparse |= may_be_absent
        renamed = any(_is_renamed(line) for line in lines.values())
        config = [_config(own_extra=_is_open(schema), renamed=renamed)]
        shown = [base for base in bases if not any(self._extends(other, base) for other in bases)]
        self._reader.ledger.definitions[key] = Class(
            name,
            "",
            "models",
            tuple(shown) or ((_SPARSE_MODEL,) if sparse else (_BASE_MODEL,)),
            doc=doc,
            lines=(*(line for line in config if line is not None), *lines.values()),
        )

    def property(self, schema: Any, name: str) -> Json:
        """Return a property of an object, its own or one of those that it extends; empty if it has none."""
        found: dict[str, Any] = {}
        members = self._reader.document.followed(schema) if isinstance(schema, dict) else {}
        for part in self._parts(members, into_references=True):
            found |= part.get("properties", {})
        return self._reader.document.followed(found[name]) if name in found else {}

    def _parts(self, schema: Json, *, into_references: bool = False, depth: int = 0) -> Iterator[Json]:
        """Yield the schema and the parts of its `allOf`; those that are references only if asked so."""
        yield schema
        for part in schema.get("allOf", ()) if depth < 20 else ():
            if not isinstance(part, dict):
                continue
            members = cast(Json, part)
            if "$ref" not in members:
                yield from self._parts(members, into_references=into_references, depth=depth + 1)
            elif into_references or not self._is_base(members):
                target = self._reader.document.followed(members)
                yield from self._parts(target, into_references=into_references, depth=depth + 1)

    def _own(self, schema: Json) -> dict[str, Any]:
        return {str(n): p for part in self._parts(schema) for n, p in part.get("properties", {}).items()}

    def _bases(self, schema: Json) -> Iterator[Expression]:
        for part in self._parts(schema):
            for base in part.get("allOf", ()):
                if isinstance(base, dict) and "$ref" in base and self._is_base(cast(Json, base)):
                    yield self._reader.component(str(base["$ref"]).rpartition("/")[2])

    def _is_base(self, reference: Json) -> bool:
        target = reference["$ref"]
        return str(target).startswith("#/components/schemas/") and is_object(self._reader.document, reference)

    def _extends(self, cls: Expression, base: Expression, depth: int = 0) -> bool:
        if not isinstance(cls, Local) or depth > 50:
            return False
        definition = self._reader.ledger.definitions.get(cls.key)
        bases = definition.bases if isinstance(definition, Class) else ()
        return any(b == base or self._extends(b, base, depth + 1) for b in bases)

    def _line(self, owner: str, property_: str, name: str, schema: Any, required: bool) -> tuple[Line, bool]:
        """Return the field of a property, and whether leaving it out means something else than null."""
        annotation = self._reader.read(schema, class_name(f"{owner}_{property_}"))
        arguments: list[tuple[str, Expression]] = []
        sparse = False
        members = cast(Json, schema) if isinstance(schema, dict) else {}
        default = self._default(annotation, members)
        if default is None and ("default" in members or not required or _one_way(members)):
            default = NONE
            sparse = not _is_nullable(annotation)
        if default is not None:
            arguments.append(("default", default))
        if default == NONE:
            annotation = union((annotation, NONE))
        if name != property_:
            # Not `alias`: by that, checkers would expect callers to name the field so.
            arguments += [("validation_alias", String(property_)), ("serialization_alias", String(property_))]
        if [argument for argument, _ in arguments] == ["default"]:
            return Line(name, annotation, arguments[0][1]), sparse
        return Line(name, annotation, Call(FIELD, tuple(arguments)) if arguments else None), sparse

    def _default(self, annotation: Expression, members: Json) -> Expression | None:
        """Return the default that the document gives; None for one that is a whole model."""
        if "default" not in members:
            return None
        try:
            return default_of(annotation, members["default"], self._reader.ledger.definitions)
        except Unspeakable:
            return None


def is_object(document: Document, schema: Any, depth: int = 0) -> bool:
    """Tell whether a schema is that of an object with properties, alone or as the sum of others."""
    if not isinstance(schema, dict) or depth > 20:
        return False
    members = document.followed(schema)
    if "oneOf" in members or "anyOf" in members or "enum" in members:
        return False
    if members.get("properties"):
        return members.get("type") in ("object", None, ["object"])
    parts = members.get("allOf")
    return isinstance(parts, list) and any(is_object(document, part, depth + 1) for part in parts)


def _is_open(schema: Json) -> bool:
    """Tell whether it asks for members beside its properties."""
    return isinstance(schema.get("additionalProperties"), dict)


def _config(*, own_extra: bool, renamed: bool) -> Line | None:
    arguments: list[tuple[str, Expression]] = []
    if own_extra:
        arguments.append(("extra", String("allow")))
    if renamed:
        arguments.append(("populate_by_name", Text("True")))
    if not arguments:
        return None
    return Line("model_config", None, Call(Imported("pydantic", "ConfigDict"), tuple(arguments)))


def _is_renamed(line: Line) -> bool:
    return isinstance(line.value, Call) and any(
        name == "validation_alias" for name, _ in line.value.arguments
    )


def _one_way(members: Json) -> bool:
    """Tell whether a property travels in one direction only: in the other one it is not there."""
    return members.get("readOnly") is True or members.get("writeOnly") is True


def _is_nullable(annotation: Expression) -> bool:
    return annotation == NONE or NONE in getattr(annotation, "members", ())
