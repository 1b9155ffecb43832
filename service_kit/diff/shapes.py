"""Schemas in a normal form: a union of shapes, each of one JSON type.

References, `allOf`, `anyOf`, `oneOf`, lists of types, `nullable`, `const` and 3.0's boolean bounds are gone in it, so
that two schemas that admit the same values look the same however they are spelt. Two simplifications: `oneOf` is read
as `anyOf`, and keywords of objects (arrays, ...) without a `type` mean that type, as those who leave it out mean it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

from service_kit.diff.document import Document, Json, canonical

_MOST_SHAPES = 64
"""Of one schema: unions inside `allOf` multiply."""

GENERAL = frozenset({"enum", "not", "if", "then", "else"})
OF_KIND: Mapping[str, frozenset[str]] = {
    "string": frozenset(
        {
            "minLength",
            "maxLength",
            "pattern",
            "format",
            "contentMediaType",
            "contentEncoding",
            "contentSchema",
        }
    ),
    "number": frozenset(
        {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"}
    ),
    "array": frozenset(
        {
            *("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
            *("contains", "minContains", "maxContains", "unevaluatedItems"),
        }
    ),
    "object": frozenset(
        {
            *("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
            *("patternProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
            "unevaluatedProperties",
        }
    ),
    "boolean": frozenset(),
    "null": frozenset(),
    "any": frozenset(),
}
"""The keywords that mean something for values of a type."""


@dataclass(frozen=True)
class Shape:
    """What a schema admits of one JSON type; `any` admits all types."""

    kind: str
    keywords: Mapping[str, Any] = field(default_factory=dict[str, Any])
    name: str = ""
    """Of the component or the title that it comes from."""

    @cached_property
    def text(self) -> str:
        """All of it but its name, equal for equal shapes."""
        return f"{self.kind} {canonical(self.keywords)}"


def shapes_of(document: Document, schema: Any) -> list[Shape]:
    """Return the shapes of a schema; none: it admits nothing."""
    return _united(_expand(document, schema, frozenset()))


def _expand(document: Document, schema: Any, seen: frozenset[str]) -> list[Shape]:
    if schema is False:
        return []
    if not isinstance(schema, Mapping) or not schema:
        return [Shape("any")]
    ref = schema.get("$ref")
    if isinstance(ref, str):
        if ref in seen:
            return []  # a union that contains itself adds nothing to itself
        name = ref.rpartition("/")[2]
        found = [
            s if s.name else replace(s, name=name)
            for s in _expand(document, document.target(ref), seen | {ref})
        ]
        beside = {k: v for k, v in schema.items() if k != "$ref"}
        # 3.0 ignores what stands beside a reference.
        return found if document.is_30 or not beside else _both(found, _expand(document, beside, seen))
    found = _own(schema, document)
    for part in schema.get("allOf") or ():
        found = _both(found, _expand(document, part, seen))
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            found = _both(found, [s for part in schema[keyword] for s in _expand(document, part, seen)])
    if (
        document.is_30
        and schema.get("nullable") is True
        and not any(s.kind in ("null", "any") for s in found)
    ):
        found.append(Shape("null"))
    title = schema.get("title")
    return [s if s.name or not isinstance(title, str) else replace(s, name=title) for s in found]


def _own(schema: Json, document: Document) -> list[Shape]:
    """Return the shapes of a schema's own keywords."""
    keywords = {k: v for k, v in schema.items() if k in _KNOWN}
    if "const" in schema:
        keywords["enum"] = [v for v in [schema["const"]] if v in keywords.get("enum", [v])]
    if document.is_30:
        _unfold_bounds(keywords)
    shapes = [_of_kind(kind, keywords) for kind in _kinds(schema, keywords)]
    return [s for s in shapes if s.keywords.get("enum") != []]


def _of_kind(kind: str, keywords: Json) -> Shape:
    known = GENERAL | OF_KIND["number" if kind == "integer" else kind]
    kept = {k: v for k, v in keywords.items() if k in known}
    if "enum" in kept and kind != "any":
        kept["enum"] = [value for value in kept["enum"] if _fits(value, kind)]
    return Shape(kind, kept)


def _kinds(schema: Json, keywords: Json) -> list[str]:
    declared = schema.get("type")
    if isinstance(declared, str):
        return [declared] if declared in OF_KIND or declared == "integer" else ["any"]
    if isinstance(declared, list):
        listed = [kind for kind in declared if kind in OF_KIND or kind == "integer"]
        return [kind for kind in listed if not (kind == "integer" and "number" in listed)]
    if "enum" in keywords:
        return list(dict.fromkeys(kind_of(value) for value in keywords["enum"]))
    for kind in ("object", "array", "number", "string"):
        if keywords.keys() & OF_KIND[kind]:
            return [kind]
    return ["any"]


def _unfold_bounds(keywords: dict[str, Any]) -> None:
    """Turn 3.0's `minimum: 5, exclusiveMinimum: true` into 3.1's `exclusiveMinimum: 5`."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = keywords.get(exclusive)
        if isinstance(flag, bool):
            del keywords[exclusive]
            if flag and bound in keywords:
                keywords[exclusive] = keywords.pop(bound)


def kind_of(value: Any) -> str:
    """Return the JSON type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _fits(value: Any, kind: str) -> bool:
    found = kind_of(value)
    return found == kind or (found, kind) == ("integer", "number")


def _both(left: list[Shape], right: list[Shape]) -> list[Shape]:
    """Return the shapes of what both admit."""
    if len(left) * len(right) > _MOST_SHAPES:
        return [Shape("any", {"not": ["a union too large to compare", *(s.text for s in (*left, *right))]})]
    return [merged for a, b in product(left, right) if (merged := _merged(a, b)) is not None]


def _merged(a: Shape, b: Shape) -> Shape | None:
    match a.kind, b.kind:
        case ("any", kind) | (kind, "any"):
            pass
        case ("integer", "number") | ("number", "integer"):
            kind = "integer"
        case (kind, other) if kind == other:
            pass
        case _:
            return None
    keywords: dict[str, Any] = {**a.keywords, **b.keywords}
    for keyword in a.keywords.keys() & b.keywords.keys():
        keywords[keyword] = _conjunction(keyword, a.keywords[keyword], b.keywords[keyword])
    merged = replace(_of_kind(kind, keywords), name=b.name or a.name)
    return None if merged.keywords.get("enum") == [] else merged


def _conjunction(keyword: str, a: Any, b: Any) -> Any:
    """Return the value of a keyword that says what two values of it say together."""
    if canonical(a) == canonical(b):
        return a
    match keyword:
        case "enum":
            texts = {canonical(value) for value in b}
            return [value for value in a if canonical(value) in texts]
        case "required":
            return list(dict.fromkeys([*a, *b]))
        case "properties" | "patternProperties":
            return {**a, **b, **{name: {"allOf": [a[name], b[name]]} for name in a.keys() & b.keys()}}
        case "items" | "additionalProperties" | "contains" | "propertyNames" | "contentSchema":
            return False if False in (a, b) else {"allOf": [a, b]}
        case "uniqueItems":
            return bool(a or b)
        case _ if keyword.startswith("min") or keyword == "exclusiveMinimum":
            return max(a, b)
        case _ if keyword.startswith("max") or keyword == "exclusiveMaximum":
            return min(a, b)
        case _:
            return ["all of", *sorted((canonical(a), canonical(b)))]  # nothing is known of it but equality


def _united(shapes: Iterable[Shape]) -> list[Shape]:
    """Return the shapes without repeats, and values of one type as one shape."""
    found: dict[str, Shape] = {}
    for shape in shapes:
        if set(shape.keywords) == {"enum"} and shape.kind not in ("object", "array", "any"):
            key = f"enum {shape.kind}"
            known = found.get(key)
            values = [*(known.keywords["enum"] if known else ()), *shape.keywords["enum"]]
            distinct = list({canonical(value): value for value in values}.values())
            found[key] = Shape(shape.kind, {"enum": distinct}, known.name if known else shape.name)
        else:
            found.setdefault(shape.text, shape)
    return [_whole(shape) for shape in found.values()]


def _whole(shape: Shape) -> Shape:
    """Return `true or false` as what it is: any boolean; `null` has one value anyway."""
    values = shape.keywords.get("enum")
    if values is not None and (shape.kind == "null" or (shape.kind == "boolean" and len(values) > 1)):
        return replace(shape, keywords={k: v for k, v in shape.keywords.items() if k != "enum"})
    return shape


_KNOWN = GENERAL.union(*OF_KIND.values())
