"""What an operation gives: its result, its stream, its headers, and how it fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service_kit.diff.both import Both
from service_kit.diff.change import Change, Direction
from service_kit.diff.difference import Difference
from service_kit.diff.document import Document, Json, Operation
from service_kit.diff.failures import compare_failures
from service_kit.diff.media import EVENT_STREAM, media_types
from service_kit.diff.voice import Voice


def compare_responses(both: Both, direction: Direction) -> Iterator[Change]:
    """Yield what is different in answers."""
    old, new = _responses(both.old_document, both.old), _responses(both.new_document, both.new)
    yield from _statuses(both, old, new)
    for a, b in _paired(old, new):
        yield from _headers(both, a, b, direction)
        yield from _contents(both, a, b, direction)
    yield from compare_failures(both, old, new, direction)


def succeeds(status: str) -> bool:
    return status.startswith(("2", "3"))


def _responses(document: Document, operation: Operation) -> dict[str, Json]:
    given = operation.value.get("responses") or {}
    return {str(status): document.follow(response) for status, response in given.items()}


def _paired(old: dict[str, Json], new: dict[str, Json]) -> list[tuple[Json, Json]]:
    """Return the successes that belong together: of one status, or the only ones."""
    a = {status: response for status, response in old.items() if succeeds(status)}
    b = {status: response for status, response in new.items() if succeeds(status)}
    if len(a) == len(b) == 1:
        return list(zip(a.values(), b.values(), strict=True))
    return [(a[status], b[status]) for status in a if status in b]


def _statuses(both: Both, old: dict[str, Json], new: dict[str, Json]) -> Iterator[Change]:
    gone = [status for status in old if succeeds(status) and status not in new]
    come = [status for status in new if succeeds(status) and status not in old]
    if gone and come:
        yield both.told(
            "status-changed", f"{{s}} answers {_or(come)} where it answered {_or(gone)}", breaks=True
        )
    elif gone:
        yield both.told("status-removed", f"{{s}} no longer answers {_or(gone)}", breaks=True)
    elif come:
        yield both.told("status-added", f"{{s}} may also answer {_or(come)}", breaks=False)


def _or(statuses: list[str]) -> str:
    return " or ".join(statuses)


def _contents(both: Both, old: Json, new: Json, direction: Direction) -> Iterator[Change]:
    a, b = media_types(old), media_types(new)
    if (EVENT_STREAM in a) != (EVENT_STREAM in b):
        now, then = (
            ("streams its results", "gave one")
            if EVENT_STREAM in b
            else ("gives one result", "streamed them")
        )
        rule = "stream-added" if EVENT_STREAM in b else "stream-removed"
        yield both.told(rule, f"{{s}} now {now}, where it {then}", breaks=True)
        return
    if not a and b:
        yield both.told("result-added", "{s} now gives a result, where it gave none", breaks=False)
    elif a and not b:
        yield both.told(
            "result-removed", "{s} no longer gives a result: callers that read it find none", breaks=True
        )
        return
    for name in a:
        if name not in b:
            yield both.told("media-type-removed", f"{{s}} no longer answers as `{name}`", breaks=True)
            continue
        item_a, item_b = _item(both.old_document, a[name]), _item(both.new_document, b[name])
        if name == EVENT_STREAM and (item_a is not None or item_b is not None):
            voice = Voice(both.kind, both.name, direction, "each item", prefix="item")
            if item_a is not None and item_b is not None:  # 3.0 has no words for items
                yield from voice.changes(both.responses.differences(item_a, item_b))
            continue
        voice = Voice(both.kind, both.name, direction, "its result", prefix="result")
        yield from voice.changes(
            both.responses.differences(a[name].get("schema", {}), b[name].get("schema", {}))
        )
    if a:
        for name in sorted(b.keys() - a.keys()):
            yield both.told("media-type-added", f"{{s}} also answers as `{name}`", breaks=False)


def _item(document: Document, media: Json) -> Any:
    """Return the schema of a stream's items, if the document says it as ours do: the data of the event `message`."""
    schema = document.follow(media.get("schema", {}))
    for event in schema.get("oneOf") or () if isinstance(schema, dict) else ():
        properties = document.follow(event).get("properties") or {}
        if (properties.get("event") or {}).get("const") == "message":
            return (properties.get("data") or {}).get("contentSchema")
    return None


def _headers(both: Both, old: Json, new: Json, direction: Direction) -> Iterator[Change]:
    a = {k.lower(): both.old_document.follow(v) for k, v in (old.get("headers") or {}).items()}
    b = {k.lower(): both.new_document.follow(v) for k, v in (new.get("headers") or {}).items()}
    voice = Voice(both.kind, both.name, direction, "its headers", prefix="header")
    for name in dict.fromkeys([*a, *b]):
        if name not in b:
            yield voice.change(Difference("property-removed", (name,)))
        elif name not in a:
            yield voice.change(Difference("property-added", (name,)))
        else:
            needed_a, needed_b = bool(a[name].get("required")), bool(b[name].get("required"))
            if needed_a != needed_b:
                yield voice.change(Difference("required-added" if needed_b else "required-removed", (name,)))
            for d in both.responses.differences(a[name].get("schema", {}), b[name].get("schema", {})):
                yield voice.change(d.below(name))
