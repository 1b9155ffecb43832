"""Schemas in the subsets of JSON Schema that model APIs enforce while a model writes its call ("strict").

Sources: OpenAI's guide "Structured Outputs", section on supported schemas; Anthropic's guides "Structured
outputs", section on JSON Schema limitations, and "Strict tool use". Constraints that an API does not enforce
stay in descriptions, where the model reads them, and the service enforces them anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from client_kit.tools.schemas import DEFS, Json

_STRUCTURE = {
    "type",
    "enum",
    "const",
    "anyOf",
    "items",
    "properties",
    "required",
    "additionalProperties",
    "$ref",
}
_SILENT = {
    "title",
    "examples",
    "example",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$defs",
    "description",
}
"""Keywords that constrain nothing."""
_BLOCKING = {
    "allOf": "combines schemas with allOf",
    "not": "excludes values with not",
    "if": "depends on a condition",
    "prefixItems": "is a tuple",
    "patternProperties": "has members of any name",
    "dependentRequired": "has members that require others",
    "dependentSchemas": "has members that require others",
    "unevaluatedProperties": "has members of any name",
}


@dataclass(frozen=True, slots=True)
class Subset:
    """What one model API enforces."""

    constraints: frozenset[str]
    """Keywords kept as they are."""
    formats: frozenset[str]
    all_required: bool
    """Whether an optional member has to be a required one that may be null."""
    recursive: bool
    properties: int = 10**9
    enum_values: int = 10**9
    depth: int = 10**9


_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_BOUNDS = frozenset({"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"})

OPENAI = Subset(
    constraints=_BOUNDS | {"pattern", "minItems", "maxItems"},
    formats=_FORMATS,
    all_required=True,
    recursive=True,
    properties=5_000,
    enum_values=1_000,
    depth=10,
)
ANTHROPIC = Subset(
    constraints=frozenset({"pattern", "minItems"}),
    formats=_FORMATS | {"uri"},
    all_required=False,
    recursive=False,
)


@dataclass(slots=True)
class Fitted:
    """A schema in a subset, or the reasons why it does not go in."""

    schema: Json
    reasons: list[str] = field(default_factory=list[str])
    """Why it cannot be strict: where, and what; empty if it can."""
    dropped: list[str] = field(default_factory=list[str])
    """Constraints that only the description still tells: `title: maxLength`."""


def fit(schema: Mapping[str, Any], subset: Subset) -> Fitted:
    """Return an object's schema in the subset."""
    fitting = _Fitting(subset, schema.get("$defs", {}))
    whole = fitting.fitted(schema, "")
    if fitting.definitions:
        whole["$defs"] = {
            name: fitting.fitted(node, f"{name}") for name, node in sorted(fitting.definitions.items())
        }
    fitting.count(schema)
    return Fitted(whole, list(dict.fromkeys(fitting.reasons)), list(dict.fromkeys(fitting.dropped)))


class _Fitting:
    def __init__(self, subset: Subset, definitions: Mapping[str, Json]) -> None:
        self._subset = subset
        self.definitions = definitions
        self.reasons: list[str] = []
        self.dropped: list[str] = []

    def fitted(self, node: Mapping[str, Any], at: str) -> Json:
        """Return one schema in the subset, and note what is lost."""
        if "oneOf" in node:  # alternatives that exclude each other are alternatives
            node = {**{k: v for k, v in node.items() if k != "oneOf"}, "anyOf": node["oneOf"]}
        if not node.keys() & {"type", "enum", "const", "anyOf", "$ref", *_BLOCKING}:
            self._reason(at, "takes any value")
            return dict(node)
        if blocking := [what for keyword, what in _BLOCKING.items() if keyword in node]:
            self._reason(at, blocking[0])
            return dict(node)
        if "$ref" in node:
            return self._reference(node, at)
        found: Json = {key: value for key, value in node.items() if key in ("type", "enum", "const")}
        lost = [self._constraint(key, value, found, at) for key, value in node.items()]
        if "anyOf" in node:
            found["anyOf"] = [self.fitted(choice, at) for choice in node["anyOf"]]
        if _admits(node, "array") and "anyOf" not in node:
            found["items"] = self.fitted(node.get("items") or {}, f"{at}[]")
        if _admits(node, "object") and "anyOf" not in node:
            self._object(node, found, at)
        description = _told(node, [text for text in lost if text])
        return {**found, "description": description} if description else found

    def count(self, schema: Mapping[str, Any]) -> None:
        """Note the limits of size that the whole schema exceeds."""
        nodes = list(_nodes(schema))
        properties = sum(len(node.get("properties", ())) for node in nodes)
        values = sum(len(node.get("enum", ())) for node in nodes)
        if properties > self._subset.properties:
            self.reasons.append(
                f"it has {properties} properties, and {self._subset.properties} are the limit"
            )
        if values > self._subset.enum_values:
            self.reasons.append(
                f"it has {values} values of enums, and {self._subset.enum_values} are the limit"
            )
        depth, recursive = self._depth(schema, ())
        if recursive and not self._subset.recursive:
            self.reasons.append("a type contains itself")
        if depth > self._subset.depth:
            self.reasons.append(f"objects are nested {depth} deep, and {self._subset.depth} is the limit")

    def _reference(self, node: Mapping[str, Any], at: str) -> Json:
        if not str(node["$ref"]).startswith(DEFS):
            self._reason(at, "refers to another document")
        alone = {"$ref": node["$ref"]}
        # Nothing may stand beside a reference, but a union of one may have a description.
        if self._subset.all_required and node.get("description"):
            return {"anyOf": [alone], "description": node["description"]}
        return alone

    def _object(self, node: Mapping[str, Any], found: Json, at: str) -> None:
        properties: Mapping[str, Json] = node.get("properties", {})
        if node.get("additionalProperties") or (not properties and node.get("additionalProperties") is None):
            self._reason(at, "has members of any name")
        required = [name for name in node.get("required", ()) if name in properties]
        found["properties"] = {}
        for name, member in properties.items():
            fitted = self.fitted(member, f"{at}.{name}" if at else name)
            if self._subset.all_required and name not in required:
                fitted = _nullable(fitted)
            found["properties"][name] = fitted
        found["required"] = list(properties) if self._subset.all_required else required
        found["additionalProperties"] = False

    def _constraint(self, key: str, value: Any, found: Json, at: str) -> str:
        """Keep a constraint, or return how the description tells it."""
        if key in _STRUCTURE or key in _SILENT or key in _BLOCKING or key.startswith("x-"):
            return ""
        if _enforced(self._subset, key, value):
            found[key] = value
            return ""
        if key not in ("format", "contentMediaType"):
            self.dropped.append(f"{at or 'the arguments'}: {key}")
        return f"{key}: {value}"

    def _depth(self, node: Mapping[str, Any], inside: tuple[str, ...]) -> tuple[int, bool]:
        ref = node.get("$ref")
        if isinstance(ref, str):
            if ref in inside:
                return 0, True
            target = self.definitions.get(ref.removeprefix(DEFS), {})
            return self._depth(target, (*inside, ref))
        below = [self._depth(child, inside) for child in _children(node)]
        own = 1 if node.get("properties") else 0
        return own + max((depth for depth, _ in below), default=0), any(recursive for _, recursive in below)

    def _reason(self, at: str, what: str) -> None:
        self.reasons.append(f"'{at}' {what}" if at else f"the object of arguments {what}")


def _nullable(schema: Json) -> Json:
    kinds = schema.get("type")
    if "anyOf" in schema:
        choices = schema["anyOf"]
        return schema if {"type": "null"} in choices else {**schema, "anyOf": [*choices, {"type": "null"}]}
    if isinstance(kinds, str) and "enum" not in schema and "const" not in schema and kinds != "object":
        return {**schema, "type": [kinds, "null"]}
    if isinstance(kinds, list) and "null" in kinds:
        return schema
    described = {"description": schema["description"]} if "description" in schema else {}
    inner = {key: value for key, value in schema.items() if key != "description"}
    return {"anyOf": [inner, {"type": "null"}], **described}


def _told(node: Mapping[str, Any], lost: list[str]) -> str:
    if "default" in node and node["default"] is not None:
        lost = [*lost, f"default: {node['default']}"]
    parts = [str(node["description"])] if node.get("description") else []
    return " ".join([*parts, f"({', '.join(lost)})"] if lost else parts)


def _enforced(subset: Subset, key: str, value: Any) -> bool:
    if key == "format":
        return value in subset.formats
    if key not in subset.constraints:
        return False
    if key == "pattern":
        # Look-around, references back and word boundaries are in no grammar.
        return not re.search(r"\(\?|\\[1-9bB]", str(value))
    return key != "minItems" or "maxItems" in subset.constraints or value in (0, 1)


def _admits(node: Mapping[str, Any], kind: str) -> bool:
    kinds = node.get("type")
    return kinds == kind or (isinstance(kinds, list) and kind in kinds)


def _children(node: Mapping[str, Any]) -> Iterator[Json]:
    yield from node.get("properties", {}).values()
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        yield from node.get(key, ())
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield node[key]


def _nodes(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    pending: list[Mapping[str, Any]] = [schema, *schema.get("$defs", {}).values()]
    while pending:
        node = pending.pop()
        yield node
        pending += _children(node)
