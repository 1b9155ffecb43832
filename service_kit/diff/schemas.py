"""Two schemas compared by the values that they admit, however they and their components are named and spelt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from service_kit.diff.alternatives import compare_kinds, partners, told
from service_kit.diff.change import Direction
from service_kit.diff.difference import Difference, shown
from service_kit.diff.document import Document, Json, canonical
from service_kit.diff.limits import compare_limits
from service_kit.diff.shapes import Shape, shapes_of

_MOST = 100
"""Differences that one pair of schemas may have: past it, more of them help nobody."""
_ABSENT: Any = object()


class SchemaComparison:
    """Compares the schemas of two documents that travel in one direction.

    Recursive schemas end because a pair that is being compared is taken for equal meanwhile: if it is not, that is
    told where the comparison began.
    """

    def __init__(self, old: Document, new: Document, direction: Direction) -> None:
        self._old = old
        self._new = new
        self._unseen = "readOnly" if direction is Direction.REQUEST else "writeOnly"
        """Properties that do not travel in this direction."""
        self._known: dict[tuple[str, str], tuple[Difference, ...]] = {}

    def differences(self, old: Any, new: Any) -> tuple[Difference, ...]:
        """Return what is different, each difference once."""
        key = (canonical(old), canonical(new))
        known = self._known.get(key)
        if known is None:
            self._known[key] = ()
            found = self._unions(shapes_of(self._old, old), shapes_of(self._new, new))
            known = self._known[key] = tuple(dict.fromkeys(found))[:_MOST]
        return known

    def _unions(self, olds: list[Shape], news: list[Shape]) -> list[Difference]:
        """Compare unions: partners first, then what has none."""
        if len(olds) == len(news) == 1:
            return self._shapes(olds[0], news[0])
        covered = [any(not _narrows(self._shapes(a, b)) for b in news) for a in olds]
        foreseen = [any(not _widens(self._shapes(a, b)) for a in olds) for b in news]
        left_a = list(range(len(olds)))
        left_b = list(range(len(news)))
        found: list[Difference] = []
        for i, j in partners(olds, news, self._alike):
            left_a.remove(i)
            left_b.remove(j)
            found += [
                d
                for d in self._shapes(olds[i], news[j])
                if (d.narrows and not covered[i])
                or (d.widens and not foreseen[j])
                or not (d.narrows or d.widens)
            ]
        gone = [olds[i] for i in left_a if not covered[i]]
        come = [news[j] for j in left_b if not foreseen[j]]
        for shape in gone:
            null = shape.kind == "null"
            found.append(Difference("null-removed" if null else "alternative-removed", (), told(shape)))
        for shape in come:
            null = shape.kind == "null"
            found.append(Difference("null-added" if null else "alternative-added", (), "", told(shape)))
        return found

    def _alike(self, a: Shape, b: Shape) -> int:
        """Return how far two alternatives are from each other; 0: they admit the same."""
        return len(self._shapes(a, b))

    def _shapes(self, old: Shape, new: Shape) -> list[Difference]:
        if old.kind != new.kind:
            return list(compare_kinds(old, new))
        found = list(compare_limits(old, new))
        match old.kind:
            case "object":
                found += self._objects(old.keywords, new.keywords)
            case "array":
                found += self._arrays(old.keywords, new.keywords)
            case "string":
                found += self._optional(old.keywords, new.keywords, "contentSchema")
            case _:
                pass  # limits are all there is
        return found

    def _objects(self, old: Json, new: Json) -> Iterator[Difference]:
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
        yield from self._unknown(old.get("additionalProperties", True), new.get("additionalProperties", True))
        for keyword in ("propertyNames", "unevaluatedProperties"):
            yield from self._optional(old, new, keyword)
        for keyword in ("patternProperties", "dependentSchemas"):
            yield from self._mapped(old.get(keyword) or {}, new.get(keyword) or {})

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

    def _property(self, name: str, old: tuple[Any, bool], new: tuple[Any, bool]) -> Iterator[Difference]:
        (schema_a, needed_a), (schema_b, needed_b) = old, new
        if needed_a != needed_b:
            yield Difference("required-added" if needed_b else "required-removed", (name,))
        a, b = self._old.follow(schema_a), self._new.follow(schema_b)
        if isinstance(a, dict) and isinstance(b, dict):
            if not needed_a and not needed_b:
                yield from compare_defaults(name, a, b)
            if bool(a.get("deprecated")) != bool(b.get("deprecated")):
                yield Difference("deprecated" if b.get("deprecated") else "deprecated-removed", (name,))
        for d in self.differences(schema_a, schema_b):
            yield d.below(name)

    def _unknown(self, old: Any, new: Any) -> Iterator[Difference]:
        """Compare what is admitted beside the known properties."""
        if (old is False) != (new is False):
            yield Difference("unknown-fields-closed" if new is False else "unknown-fields-opened")
        elif old is not False:
            for d in self.differences(old, new):
                yield d.below("{}")

    def _arrays(self, old: Json, new: Json) -> Iterator[Difference]:
        rest_a, rest_b = old.get("items", True), new.get("items", True)
        first_a, first_b = old.get("prefixItems") or [], new.get("prefixItems") or []
        for position in range(max(len(first_a), len(first_b))):
            a = first_a[position] if position < len(first_a) else rest_a
            b = first_b[position] if position < len(first_b) else rest_b
            for d in self.differences(a, b):
                yield d.below(f"[{position}]")
        for d in self.differences(rest_a, rest_b):
            yield d.below("[]")
        for keyword in ("contains", "unevaluatedItems"):
            yield from self._optional(old, new, keyword)

    def _optional(self, old: Json, new: Json, keyword: str) -> Iterator[Difference]:
        """Compare schemas of which one may be absent, which admits all."""
        yield from self._mapped(
            {keyword: old[keyword]} if keyword in old else {},
            {keyword: new[keyword]} if keyword in new else {},
        )

    def _mapped(self, old: Json, new: Json) -> Iterator[Difference]:
        """Compare conditions by their names; one more of them narrows."""
        for name in dict.fromkeys([*old, *new]):
            if name not in new:
                yield Difference("limit-loosened", (), f"what fits `{name}`", "anything")
            elif name not in old:
                yield Difference("limit-tightened", (), "anything", f"what fits `{name}`")
            else:
                for d in self.differences(old[name], new[name]):
                    yield d.below("" if name == "contentSchema" else f"<{name}>")


def compare_defaults(name: str, old: Json, new: Json) -> Iterator[Difference]:
    """Yield what is different in what a value is where it is left out."""
    a, b = old.get("default"), new.get("default")
    if canonical(a) == canonical(b):
        return  # no default and null are one thing to a caller
    if a is None:
        yield Difference("default-added", (name,), "", shown(b))
    elif b is None:
        yield Difference("default-removed", (name,), shown(a))
    else:
        yield Difference("default-changed", (name,), shown(a), shown(b))


def _others(keywords: Json) -> Any:
    """Return the schema of the fields that have no name, if it says anything of them."""
    others = keywords.get("additionalProperties")
    return others if isinstance(others, dict) and others else _ABSENT


def _properties(keywords: Json) -> dict[str, Any]:
    """Return the known properties; one that is only required may have any value."""
    return {**{name: {} for name in keywords.get("required", ())}, **(keywords.get("properties") or {})}


def _narrows(differences: Iterable[Difference]) -> bool:
    return any(d.narrows for d in differences)


def _widens(differences: Iterable[Difference]) -> bool:
    return any(d.widens for d in differences)
