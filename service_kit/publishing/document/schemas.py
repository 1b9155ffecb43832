"""JSON Schemas as types: components become models, enumerations and aliases, the rest is spelt where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from service_kit.publishing.definitions import Assignment, Class, Ledger, Line
from service_kit.publishing.document.constraints import constraints_of, descriptions_of, field, plain
from service_kit.publishing.document.objects import ObjectReader, is_object
from service_kit.publishing.document.pairs import pairs_of
from service_kit.publishing.document.read import Document, Json
from service_kit.publishing.document.words import class_name, member_name
from service_kit.publishing.expressions import (
    NONE,
    Expression,
    Imported,
    Local,
    Quoted,
    String,
    Subscript,
    annotated,
    builtin,
    call,
    union,
)

PREFIX = "#/components/schemas/"
ANY = Imported("typing", "Any")
_LITERAL = Imported("typing", "Literal")
_TEXTS: Mapping[str, Expression] = {
    "date": Imported("datetime", "date"),
    "date-time": Imported("datetime", "datetime"),
    "time": Imported("datetime", "time"),
    "duration": Imported("datetime", "timedelta"),
    "uuid": Imported("uuid", "UUID"),
    "binary": builtin("bytes"),
}
_SCALARS: Mapping[str, Expression] = {
    "integer": builtin("int"),
    "number": builtin("float"),
    "boolean": builtin("bool"),
    "null": NONE,
}


class SchemaReader:
    """Reads the schemas of one document; what they need is collected in the ledger."""

    def __init__(self, document: Document, ledger: Ledger) -> None:
        self.document = document
        self.ledger = ledger
        self._objects = ObjectReader(self)
        components = document.members.get("components") or {}
        self._pairs = pairs_of(components.get("schemas") or {})
        self._open: set[str] = set()
        self._circular: set[str] = set()

    def read(self, schema: Any, hint: str, *, described: bool = True) -> Expression:
        """Return the type of a schema; `hint` names a model that has no name of its own.

        What it says to its readers is left out unless `described`.
        """
        if schema is False:
            return Imported("typing", "Never")
        if not isinstance(schema, dict) or not schema:
            return ANY
        members = cast(Json, schema)
        shown, metadata = self._typed(members, hint)
        if described:
            metadata = (*metadata, *descriptions_of(members))
        expression = annotated(shown, field(metadata))
        return union((expression, NONE)) if members.get("nullable") is True else expression

    def component(self, name: str) -> Expression:
        """Return the name of a component, which is read first if it was not."""
        shown = self._pairs.get(name, name)
        key = f"schema:{shown}"
        if key in self._open:
            self._circular.add(key)
        if key not in self.ledger.definitions:
            self._open.add(key)
            self._define(key, shown, self.document.target(f"{PREFIX}{name}"))
            self._open.discard(key)
        return Local(key)

    def _define(self, key: str, name: str, schema: Any) -> None:
        shown = class_name(name)
        if is_object(self.document, schema):
            self._objects.define(key, shown, schema)
            return
        values = schema.get("enum") if isinstance(schema, dict) else None
        if isinstance(values, list) and (enum := _enum(shown, cast(Json, schema))) is not None:
            self.ledger.definitions[key] = enum
            return
        placeholder = Assignment(shown, "", Imported("typing", "TypeAlias"), ANY)
        self.ledger.definitions[key] = placeholder
        value = self.read(schema, shown)
        if key in self._circular:
            maker = Imported("typing_extensions", "TypeAliasType")
            self.ledger.definitions[key] = Assignment(
                shown, "", None, call(maker, String(shown), Quoted(value))
            )
        else:
            self.ledger.definitions[key] = Assignment(shown, "", placeholder.annotation, value)

    def model(self, schema: Json, hint: str) -> Expression:
        """Return the name of a model for an object that has none."""
        key = f"inline:{hint}"
        if key not in self.ledger.definitions:
            self._objects.define(key, class_name(hint), schema)
        return Local(key)

    def _typed(self, schema: Json, hint: str) -> tuple[Expression, tuple[tuple[str, Expression], ...]]:
        """Return the bare type and its constraints."""
        if isinstance(reference := schema.get("$ref"), str):
            return self._reference(reference, hint), ()
        if "const" in schema:
            return self._literal([schema["const"]], schema), ()
        if isinstance(values := schema.get("enum"), list):
            return self._literal(values, schema), ()
        for keyword in ("oneOf", "anyOf"):
            if isinstance(choices := schema.get(keyword), list) and choices:
                return self._union(schema, choices, hint), ()
        if isinstance(parts := schema.get("allOf"), list) and parts:
            return self._all_of(schema, parts, hint)
        kinds = schema.get("type")
        if isinstance(kinds, list):
            rest = {k: v for k, v in schema.items() if k not in ("type", "description", "examples")}
            return union(self.read({**rest, "type": kind}, hint, described=False) for kind in kinds), ()
        return self._of_kind(schema, str(kinds or _implied(schema)), hint)

    def _of_kind(
        self, schema: Json, kind: str, hint: str
    ) -> tuple[Expression, tuple[tuple[str, Expression], ...]]:
        if kind == "string":
            known = _TEXTS.get(str(schema.get("format")))
            return (known, ()) if known else (builtin("str"), tuple(constraints_of(schema, kind)))
        if kind in _SCALARS:
            return _SCALARS[kind], tuple(constraints_of(schema, kind))
        if kind == "array":
            return self._array(schema, hint), tuple(constraints_of(schema, kind))
        if kind == "object":
            if schema.get("properties"):
                return self.model(schema, hint), ()
            more = schema.get("additionalProperties")
            values = self.read(more, f"{hint}Value") if isinstance(more, dict) else ANY
            return Subscript(builtin("dict"), (builtin("str"), values)), tuple(constraints_of(schema, kind))
        return ANY, ()

    def _reference(self, reference: str, hint: str) -> Expression:
        if reference.startswith(PREFIX) and "/" not in reference[len(PREFIX) :]:
            return self.component(reference[len(PREFIX) :].replace("~1", "/").replace("~0", "~"))
        return self.read(self.document.target(reference), hint)

    def _array(self, schema: Json, hint: str) -> Expression:
        first = schema.get("prefixItems")
        if isinstance(first, list) and first:
            items = (self.read(item, f"{hint}Item{number}") for number, item in enumerate(first, 1))
            return Subscript(builtin("tuple"), tuple(items))
        item = self.read(schema.get("items"), f"{hint}Item")
        hashable = schema.get("uniqueItems") is True and _is_scalar(item)
        return Subscript(builtin("set" if hashable else "list"), (item,))

    def _union(self, schema: Json, choices: Iterable[Any], hint: str) -> Expression:
        listed = list(choices)
        named = [self.read(c, hint if len(listed) == 1 else f"{hint}{n}") for n, c in enumerate(listed, 1)]
        whole = union(named)
        property_name = schema.get("discriminator", {}).get("propertyName")
        if isinstance(property_name, str) and all(self._is_tagged(c, property_name) for c in listed):
            return annotated(whole, field((("discriminator", String(property_name)),)))
        return whole

    def _is_tagged(self, choice: Any, property_name: str) -> bool:
        """Tell whether a member of a union says by a constant which one it is: pydantic needs that."""
        tag = self._objects.property(choice, property_name)
        return "const" in tag or len(tag.get("enum", ())) > 0

    def _all_of(
        self, schema: Json, parts: list[Any], hint: str
    ) -> tuple[Expression, tuple[tuple[str, Expression], ...]]:
        beside = {k: v for k, v in schema.items() if k not in ("allOf", "description", "nullable", "default")}
        said = [part for part in parts if not _only_words(part)]
        if len(said) == 1 and not _constrains(beside):
            return self.read(said[0], hint), ()
        if is_object(self.document, schema):
            return self.model(schema, hint), ()
        merged: Json = {}
        for part in [*parts, beside]:
            merged.update(self.document.followed(part))
        return self._typed(merged, hint)

    def _literal(self, values: list[Any], schema: Json) -> Expression:
        plain_values = [v for v in values if v is None or isinstance(v, str | int)]
        if len(plain_values) < len(values) or not values:
            return self.read({k: v for k, v in schema.items() if k not in ("enum", "const")}, "")
        some = tuple(plain(value) for value in plain_values if value is not None)
        if not some:
            return NONE
        literal = Subscript(_LITERAL, some)
        return union((literal, NONE)) if None in plain_values else literal


def _enum(name: str, schema: Json) -> Class | None:
    values: list[Any] = schema["enum"]
    if all(isinstance(v, str) for v in values):
        base = "StrEnum"
    elif all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        base = "IntEnum"
    else:
        return None
    lines: dict[str, Line] = {}
    for value in values:
        member = member_name(value)
        while member in lines:
            member += "_"
        lines[member] = Line(member, None, plain(value))
    doc = str(schema.get("description") or "").strip()
    return Class(name, "", "models", (Imported("enum", base),), doc=doc, lines=tuple(lines.values()))


def _implied(schema: Mapping[str, Any]) -> str:
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else ""


def _is_scalar(item: Expression) -> bool:
    bare = item
    if isinstance(item, Subscript) and item.base == Imported("typing", "Annotated"):
        bare, *_ = item.items
    if isinstance(bare, Subscript):
        return bare.base == _LITERAL
    return bare in (*_SCALARS.values(), *_TEXTS.values(), builtin("str"))


def _only_words(part: Any) -> bool:
    return isinstance(part, dict) and not (cast(Json, part).keys() - {"description", "title", "example"})


def _constrains(members: Mapping[str, Any]) -> bool:
    return bool(
        members.keys() - {"title", "example", "examples", "deprecated", "readOnly", "writeOnly", "xml"}
    )
