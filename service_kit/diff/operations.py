"""Two versions of one operation compared: its route, who may call it, what it takes and what it gives."""

from __future__ import annotations

from collections.abc import Iterator

from service_kit.diff.both import Both
from service_kit.diff.change import Change, Direction, Kind
from service_kit.diff.document import Document, Operation
from service_kit.diff.inputs import compare_inputs
from service_kit.diff.pairs import shape_of
from service_kit.diff.responses import compare_responses
from service_kit.diff.schemas import SchemaComparison
from service_kit.diff.security import compare_security


class OperationComparison:
    """Compares the operations of two documents; what their schemas share is compared once."""

    def __init__(self, old: Document, new: Document, kind: Kind) -> None:
        self._old = old
        self._new = new
        self._kind: Kind = kind
        # A webhook's request is what the service sends.
        asked, answered = Direction.REQUEST, Direction.RESPONSE
        if kind == "webhook":
            asked, answered = answered, asked
        self._asked: Direction = asked
        self._answered: Direction = answered
        self._requests = SchemaComparison(old, new, asked)
        self._responses = SchemaComparison(old, new, answered)

    def changes(self, old: Operation, new: Operation) -> Iterator[Change]:
        """Yield what is different."""
        both = Both(
            self._kind,
            self._old,
            self._new,
            old,
            new,
            self._requests,
            self._responses,
        )
        yield from _route(both)
        yield from compare_security(both)
        yield from compare_inputs(both, self._asked)
        yield from compare_responses(both, self._answered)


def _route(both: Both) -> Iterator[Change]:
    old, new = both.old, both.new
    if both.kind == "command" and (old.method, shape_of(old.path)) != (new.method, shape_of(new.path)):
        yield both.told(
            "command-moved",
            f"{{s}} is now at `{new.method.upper()} {new.path}`, no longer at `{old.method.upper()} {old.path}`",
            breaks=True,
        )
    if old.id and new.id and old.id != new.id:
        yield both.told(
            "command-renamed",
            f"{{s}} is now called `{new.id}`: typed clients and agents call it by its name",
            breaks=True,
        )
    if bool(old.value.get("deprecated")) != bool(new.value.get("deprecated")):
        now = "is now" if new.value.get("deprecated") else "is not"
        rule = "command-deprecated" if new.value.get("deprecated") else "command-deprecated-removed"
        yield both.told(rule, f"{{s}} {now} deprecated{'' if now == 'is now' else ' any more'}", breaks=False)
