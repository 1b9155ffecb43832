"""Two shapes of one type compared by themselves: what is different here, and which parts are to be compared next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from service_kit.diff.alternatives import compare_kinds
from service_kit.diff.change import Direction
from service_kit.diff.difference import Difference, shown
from service_kit.diff.document import Document, Json, canonical
from service_kit.diff.limits import compare_limits
from service_kit.diff.shapes import Shape

_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Part:
    """Two schemas that stand in the same place of what is compared."""

    place: tuple[str, ...]
    old: Any
    new: Any


Step: TypeAlias = Difference | Part


class Steps:
    """Compares shapes of two documents that travel in one direction."""

    def __init__(self, old: Document, new: Document, direction: Direction) -> None:
        self._old = old
        self._new = new
        self._unseen = "readOnly" if direction is Direction.REQUEST else "writeOnly"
        """Properties that do not travel in this direction."""

    def between(self, old: Shape, new: Shape) -> Iterator[Step]:
        """Yield what is different here, and the parts."""
        if old.kind != new.kind:
            yield from compare_kinds(old, new)
            return
        yield from compare_limits(old, new)
        match old.kind:
            case "object":
                yield from self._objects(old.keywords, new.keywords)
            case "array":
                yield from self._arrays(old.keywords, new.keywords)
            case "string":
                yield from _optional(old.keywords, new.keywords, "contentSchema")
            case _:
                pass  # limits are all there is

    def _objects(self, old: Json, new: Json) -> Iterator[Step]:
        all_a, all_b = _properties(old), _properties(new)
        a, b = self._seen(self._old, all_a), self._seen(self._new, all_b)
        needed_a, needed_b = set(old.get("required", ())), set(new.get("required", ()))
        others_a, others_b = _others(old), _others(new)
        for name in dict.fromkeys([*a, *b]):
            # A field that only one version names is one of the others' many to the other version, if these have a type.
            in_a, in_b = a.get(name, others_a), b.get(name, others_b)
            if in_b is _ABSENT:
                yield self._removed(name, new, hidden=name in all_b)
            elif in_a is _ABSENT:
                yield self._added(name, old, hidden=name in all_a, required=name in needed_b)
            else:
                yield from self._property(name, (in_a, name in needed_a), (in_b, name in needed_b))
        yield from _unknown(old.get("additionalProperties", True), new.get("additionalProperties", True))
        for keyword in ("propertyNames", "unevaluatedProperties"):
            yield from _optional(old, new, keyword)
        for keyword in ("patternProperties", "dependentSchemas"):
            yield from _mapped(old.get(keyword) or {}, new.get(keyword) or {})

    def _seen(self, document: Document, properties: Json) -> dict[str, Any]:
        """Return the properties that travel in this direction."""
        kept = {}
        for name, schema in properties.items():
            target = document.follow(schema)
            if not (isinstance(target, dict) and target.get(self._unseen) is True):
                kept[name] = schema
        return kept

    def _removed(self, name: str, new: Json, *, hidden: bool) -> Difference:
        if hidden:
            return Difference(
                "read-only-added" if self._unseen == "readOnly" else "write-only-added", (name,)
            )
        closed = new.get("additionalProperties", True) is False
        return Difference("property-removed" if closed else "property-removed-from-open", (name,))

    def _added(self, name: str, old: Json, *, hidden: bool, required: bool) -> Difference:
        if hidden:
            return Difference(
                "read-only-removed" if self._unseen == "readOnly" else "write-only-removed", (name,)
            )
        closed = old.get("additionalProperties", True) is False
        if closed and self._unseen == "writeOnly":
            return Difference("property-added-to-closed", (name,))
        return Difference("property-added-required" if required else "property-added", (name,))

    def _property(self, name: str, old: tuple[Any, bool], new: tuple[Any, bool]) -> Iterator[Step]:
        (schema_a, needed_a), (schema_b, needed_b) = old, new
        if needed_a != needed_b:
            yield Difference("required-added" if needed_b else "required-removed", (name,))
        a, b = self._old.follow(schema_a), self._new.follow(schema_b)
        if isinstance(a, dict) and isinstance(b, dict):
            if not needed_a and not needed_b:
                yield from compare_defaults(name, a, b)
            if bool(a.get("deprecated")) != bool(b.get("deprecated")):
                yield Difference("deprecated" if b.get("deprecated") else "deprecated-removed", (name,))
        yield Part((name,), schema_a, schema_b)

    def _arrays(self, old: Json, new: Json) -> Iterator[Step]:
        rest_a, rest_b = old.get("items", True), new.get("items", True)
        first_a, first_b = old.get("prefixItems") or [], new.get("prefixItems") or []
        for position in range(max(len(first_a), len(first_b))):
            a = first_a[position] if position < len(first_a) else rest_a
            b = first_b[position] if position < len(first_b) else rest_b
            yield Part((f"[{position}]",), a, b)
        yield Part(("[]",), rest_a, rest_b)
        for keyword in ("contains", "unevaluatedItems"):
            yield from _optional(old, new, keyword)


def compare_defaults(name: str, old: Json, new: Json) -> Iterator[Difference]:
    """Yield what is different in what a value is where it is left out."""
    a, b = old.get("default"), new.get("default")
    if a is b or canonical(a) == canonical(b):
        return  # no default and null are one thing to a caller
    if a is None:
        yield Difference("default-added", (name,), "", shown(b))
    elif b is None:
        yield Difference("default-removed", (name,), shown(a))
    else:
        yield Difference("default-changed", (name,), shown(a), shown(b))


def _unknown(old: Any, new: Any) -> Iterator[Step]:
    """Compare what is admitted beside the known properties."""
    if (old is False) != (new is False):
        yield Difference("unknown-fields-closed" if new is False else "unknown-fields-opened")
    elif old is not False:
        yield Part(("{}",), old, new)


def _optional(old: Json, new: Json, keyword: str) -> Iterator[Step]:
    """Compare schemas of which one may be absent, which admits all."""
    before = {keyword: old[keyword]} if keyword in old else {}
    after = {keyword: new[keyword]} if keyword in new else {}
    yield from _mapped(before, after)


def _mapped(old: Json, new: Json) -> Iterator[Step]:
    """Compare conditions by their names; one more of them narrows."""
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield Difference("limit-loosened", (), f"what fits `{name}`", "anything")
        elif name not in old:
            yield Difference("limit-tightened", (), "anything", f"what fits `{name}`")
        else:
            yield Part(("" if name == "contentSchema" else f"<{name}>",), old[name], new[name])


def _others(keywords: Json) -> Any:
    """Return the schema of the fields that have no name, if it says anything of them."""
    others = keywords.get("additionalProperties")
    return others if isinstance(others, dict) and others else _ABSENT


def _properties(keywords: Json) -> dict[str, Any]:
    """Return the known properties; one that is only required may have any value."""
    return {**{name: {} for name in keywords.get("required", ())}, **(keywords.get("properties") or {})}
