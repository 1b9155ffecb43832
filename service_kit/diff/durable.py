"""What OpenAPI has no words for: events, signals, states, workflows and tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service_kit.diff.change import Change, Direction, Kind
from service_kit.diff.document import Document, Json
from service_kit.diff.schemas import SchemaComparison
from service_kit.diff.voice import Voice, told

_SECTIONS: Mapping[str, Kind] = {
    "events": "event",
    "signals": "signal",
    "states": "state",
    "workflows": "workflow",
    "tasks": "task",
}
_ON_REMOVAL: Mapping[Kind, str] = {
    "event": "those who subscribe to it hear nothing any more",
    "signal": "those who send it are not heard",
    "state": "those who read it find nothing",
    "workflow": "its executions that run cannot go on, and nobody can start it",
    "task": "executions that wait for it cannot go on",
}


@dataclass(frozen=True, slots=True)
class _Travel:
    """One schema of a declaration, and who is on its other side."""

    part: str
    direction: Direction
    whole: str
    prefix: str
    who: str
    refused: str = "are refused"
    recorded: bool = False
    """Whether nobody writes it any more: the new version reads what the old one has recorded."""


_REQUEST, _RESPONSE = Direction.REQUEST, Direction.RESPONSE
_TRAVELS: Mapping[Kind, tuple[_Travel, ...]] = {
    # An event that waits in a queue was written by the old version and is read by the new one.
    "event": (
        _Travel("payload", _RESPONSE, "its payload", "", "subscribers"),
        _Travel("payload", _REQUEST, "its payload", "", "events on their way", recorded=True),
    ),
    "signal": (_Travel("payload", _REQUEST, "its payload", "", "senders"),),
    "state": (_Travel("payload", _RESPONSE, "its value", "", "readers"),),
    # What executions have recorded under the old version, the new one reads when they go on.
    "workflow": (
        _Travel("input", _REQUEST, "its input", "", "callers and running executions"),
        _Travel("result", _RESPONSE, "its result", "result", "callers"),
        _Travel(
            "result", _REQUEST, "its result", "result", "results that parents have recorded", recorded=True
        ),
    ),
    "task": (
        _Travel("input", _REQUEST, "its input", "", "calls on their way", "fail"),
        _Travel(
            "result", _REQUEST, "its result", "result", "results that executions have recorded", recorded=True
        ),
    ),
}


def compare_durable(old: Json, new: Json) -> Iterator[Change]:
    """Yield what is different between two descriptions that `describe_durable` made."""
    a, b = (Document({"openapi": "3.1.0", "components": side["components"]}) for side in (old, new))
    for section, kind in _SECTIONS.items():
        before, after = old.get(section, {}), new.get(section, {})
        for name in dict.fromkeys([*before, *after]):
            if name not in after:
                yield told(
                    kind, name, f"{kind}-removed", f"{{s}} was removed: {_ON_REMOVAL[kind]}", breaks=True
                )
            elif name not in before:
                yield told(kind, name, f"{kind}-added", "{s} is new", breaks=False)
            else:
                yield from _parts(kind, name, (a, before[name]), (b, after[name]))


def _parts(
    kind: Kind, name: str, old: tuple[Document, Mapping[str, Any]], new: tuple[Document, Mapping[str, Any]]
) -> Iterator[Change]:
    told_before: dict[tuple[str, str], Change] = {}
    for travel in _TRAVELS[kind]:
        comparison = SchemaComparison(old[0], new[0], travel.direction)
        voice = Voice(
            kind,
            name,
            travel.direction,
            travel.whole,
            travel.prefix,
            travel.who,
            travel.refused,
            travel.recorded,
        )
        found = comparison.differences(old[1][travel.part], new[1][travel.part])
        if kind == "event":
            found = tuple(
                d for d in found if not d.rule.startswith("default-")
            )  # events carry all their fields
        for change in voice.changes(found):
            # What travels both ways is told once, from the side that it breaks.
            known = told_before.get((change.rule, change.place))
            if known is None or change.verdict < known.verdict:
                told_before[change.rule, change.place] = change
    yield from told_before.values()
