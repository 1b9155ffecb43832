"""Two versions of a service compared: its operations, and what OpenAPI has no words for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service_kit.diff.change import Change, Kind
from service_kit.diff.document import Document, Json, Operation, UnreadableDocument
from service_kit.diff.durable import compare_durable
from service_kit.diff.operations import OperationComparison
from service_kit.diff.pairs import pair
from service_kit.diff.voice import told


def compare(
    old: Json, new: Json, old_durable: Json | None = None, new_durable: Json | None = None
) -> list[Change]:
    """Return what has changed between two OpenAPI documents, in their order; breaking changes go first.

    `old_durable` and `new_durable` are `describe_durable` of both sides; without both, events, signals and
    workflows are not compared. Raises UnreadableDocument.
    """
    a, b = Document(old), Document(new)
    try:
        found = [*_operations(a, b, "command"), *_operations(a, b, "webhook")]
    except (AttributeError, LookupError, TypeError) as error:
        # Documents of others are read as they are: a list where an object belongs is met where it is used.
        what = f"{type(error).__name__}: {error}"
        raise UnreadableDocument(
            f"a document does not keep to OpenAPI ({what}); validate both of them first"
        ) from error
    if old_durable is not None and new_durable is not None:
        found += compare_durable(old_durable, new_durable)
    distinct = list(dict.fromkeys(found))
    return sorted(distinct, key=lambda change: change.verdict)


def _operations(a: Document, b: Document, kind: Kind) -> Iterator[Change]:
    olds, news = (a.operations(), b.operations()) if kind == "command" else (a.webhooks(), b.webhooks())
    pairs, gone, come = pair(olds, news)
    for operation in gone:
        yield told(
            kind,
            operation.name,
            f"{kind}-removed",
            f"{{s}} was removed{_deprecated(operation)}",
            breaks=True,
        )
    comparison = OperationComparison(a, b, kind)
    for before, after in pairs:
        yield from comparison.changes(before, after)
    for operation in come:
        yield told(kind, operation.name, f"{kind}-added", "{s} is new", breaks=False)


def _deprecated(operation: Operation) -> str:
    value: Any = operation.value.get("deprecated")
    return "; it was deprecated" if value else ""
