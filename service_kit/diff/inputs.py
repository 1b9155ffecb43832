"""What an operation takes: parameters and body, told as the parameters of one command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service_kit.diff.both import Both
from service_kit.diff.change import Change, Direction
from service_kit.diff.difference import Difference
from service_kit.diff.document import Document, Json, Operation, canonical
from service_kit.diff.media import media_types
from service_kit.diff.pairs import parameters_of
from service_kit.diff.steps import compare_defaults
from service_kit.diff.voice import Voice

_NOT_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
"""Headers that OpenAPI describes elsewhere."""
_NOTHING: Json = {"type": "object", "additionalProperties": False}
_COMING = frozenset(
    {"property-added", "property-added-required", "property-removed", "property-removed-from-open"}
)
_REQUIRING = frozenset({"property-added-required", "required-added"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter outside the body."""

    name: str
    location: str
    value: Json

    @property
    def required(self) -> bool:
        return self.location == "path" or bool(self.value.get("required"))

    @property
    def schema(self) -> Any:
        for media in (self.value.get("content") or {}).values():
            return media.get("schema", {})
        return self.value.get("schema", {})

    @property
    def style(self) -> str:
        """How its value is written, where several values have room."""
        default = "form" if self.location in ("query", "cookie") else "simple"
        style = self.value.get("style", default)
        return canonical(
            [style, self.value.get("explode", style == "form"), sorted(self.value.get("content") or ())]
        )


def compare_inputs(both: Both, direction: Direction) -> Iterator[Change]:
    """Yield what is different in parameters and body."""
    voice = Voice(both.kind, both.name, direction, "its body", refused=_refused(both.new))
    a = _parameters(both.old_document, both.old)
    b = _parameters(both.new_document, both.new)
    in_body_a = _body_properties(both.old_document, both.old)
    in_body_b = _body_properties(both.new_document, both.new)
    moved: set[str] = set()
    for key in dict.fromkeys([*a, *b]):
        if key in a and key in b:
            yield from _same(both, voice, a[key], b[key])
            continue
        found = a.get(key) or b[key]
        name = found.name
        elsewhere = _elsewhere(name, b if key in a else a, in_body_b if key in a else in_body_a)
        if elsewhere is None:
            yield voice.change(_come_or_gone(found, gone=key in a))
        elif name not in moved:
            moved.add(name)
            now, then = (elsewhere, found.location) if key in a else (found.location, elsewhere)
            yield both.told(
                "parameter-moved",
                f"{{s}} takes `{name}` in the {now}, no longer in the {then}",
                breaks=True,
                place=name,
            )
    yield from _bodies(both, voice, moved)


def _same(both: Both, voice: Voice, old: Parameter, new: Parameter) -> Iterator[Change]:
    if old.name != new.name:
        yield both.told(
            "parameter-renamed",
            f"{{s}} calls `{old.name}` in its path `{new.name}` now: callers that give it by name miss it",
            breaks=True,
            place=old.name,
        )
    if old.required != new.required:
        yield voice.change(Difference("required-added" if new.required else "required-removed", (new.name,)))
    a, b = both.old_document.follow(old.schema), both.new_document.follow(new.schema)
    if not old.required and not new.required and isinstance(a, dict) and isinstance(b, dict):
        yield from voice.changes(compare_defaults(new.name, a, b))
    if old.style != new.style:
        yield both.told(
            "parameter-style-changed",
            f"{{s}} reads `{new.name}` in another form of the {new.location} now",
            breaks=True,
            place=new.name,
        )
    if bool(old.value.get("deprecated")) != bool(new.value.get("deprecated")):
        rule = "deprecated" if new.value.get("deprecated") else "deprecated-removed"
        yield voice.change(Difference(rule, (new.name,)))
    for d in both.requests.differences(old.schema, new.schema):
        yield voice.change(d.below(new.name))


def _come_or_gone(parameter: Parameter, *, gone: bool) -> Difference:
    if gone:
        return Difference("property-removed", (parameter.name,))
    return Difference(
        "property-added-required" if parameter.required else "property-added", (parameter.name,)
    )


def _bodies(both: Both, voice: Voice, moved: set[str]) -> Iterator[Change]:
    old, new = _body(both.old_document, both.old), _body(both.new_document, both.new)
    if old is None and new is None:
        return
    a, b = media_types(old), media_types(new)
    found: list[Difference] = []
    if old is None or new is None:
        schema = next(iter((b if old is None else a).values()), {}).get("schema", {})
        pair = (_NOTHING, schema) if old is None else (schema, _NOTHING)
        found += (
            d for d in both.requests.differences(*pair) if not d.rule.startswith("unknown-fields") or d.place
        )
        # Fields say more than their body, unless it must be there even without any.
        empty_needed = new is not None and bool(new.get("required")) and not any(d.narrows for d in found)
        if not found or empty_needed or any(not d.place for d in found):
            rule, words = (
                ("body-added", "now takes a body")
                if old is None
                else ("body-removed", "takes no body any more")
            )
            breaks = new is None or bool(new.get("required"))
            yield both.told(rule, f"{{s}} {words}", breaks=breaks)
            found = []
    else:
        for name in a:
            if name in b:
                found += both.requests.differences(a[name].get("schema", {}), b[name].get("schema", {}))
            else:
                yield both.told("media-type-removed", f"{{s}} no longer takes `{name}`", breaks=True)
        for name in sorted(b.keys() - a.keys()):
            yield both.told("media-type-added", f"{{s}} also takes `{name}`", breaks=False)
    found = [d for d in found if not (d.rule in _COMING and d.place[0] in moved and len(d.place) == 1)]
    needed_a, needed_b = (bool(body and body.get("required")) for body in (old, new))
    if old is not None and new is not None and needed_a != needed_b and not _says(found, needed_b):
        yield voice.change(Difference("required-added" if needed_b else "required-removed"))
    yield from voice.changes(dict.fromkeys(found))


def _says(found: list[Difference], required: bool) -> bool:
    """Tell whether single fields already say that a body is required now, or is not."""
    return any(d.rule in _REQUIRING if required else d.rule == "required-removed" for d in found)


def _parameters(document: Document, operation: Operation) -> Mapping[tuple[str, str], Parameter]:
    """Return the parameters by location and name; those of the path by position, as they travel."""
    found: dict[tuple[str, str], Parameter] = {}
    positions = {name: str(position) for position, name in enumerate(parameters_of(operation.path))}
    for given in (*operation.shared, *(operation.value.get("parameters") or ())):
        value = document.follow(given)
        name, location = str(value.get("name", "")), str(value.get("in", ""))
        if location == "header":
            if name.lower() in _NOT_PARAMETERS:
                continue
            key = name.lower()
        else:
            key = positions.get(name, name) if location == "path" else name
        found[location, key] = Parameter(name, location, value)
    return found


def _body(document: Document, operation: Operation) -> Json | None:
    body: Json | None = document.follow(operation.value.get("requestBody"))
    return body or None


def _body_properties(document: Document, operation: Operation) -> frozenset[str]:
    names: set[str] = set()
    for media in media_types(_body(document, operation)).values():
        schema = document.follow(media.get("schema", {}))
        if isinstance(schema, dict):
            names |= (schema.get("properties") or {}).keys()
    return frozenset(names)


def _elsewhere(name: str, others: Mapping[tuple[str, str], Parameter], body: frozenset[str]) -> str | None:
    for parameter in others.values():
        if parameter.name == name:
            return parameter.location
    return "body" if name in body else None


def _refused(operation: Operation) -> str:
    statuses = (operation.value.get("responses") or {}).keys()
    return next((f"get {status}" for status in ("422", "400") if status in statuses), "are refused")
