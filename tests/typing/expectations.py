"""What the comments of the case files expect of each line, and how a report is compared with them.

    reveal_type(order)                 # reveal: Order
    await place_order(1)               # error: wrong type: str
    await place_order(sku=1)           # error(mypy, ty): wrong type: str

An error is a meaning of the table `MEANINGS`, then a text that every checker's message contains. Names of
checkers in brackets say that only they give this answer; test_checkers.py pins each such gap with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.typing.checkers import REVEAL, Diagnostic

MEANINGS: Mapping[str, Mapping[str, str]] = {
    "wrong type": {
        "mypy": "arg-type list-item call-overload",
        "pyright": "reportArgumentType",
        "pyrefly": "bad-argument-type",
        "ty": "invalid-argument-type",
        "zuban": "arg-type list-item call-overload",
    },
    "no common type": {
        "mypy": "misc",
        "pyright": "reportArgumentType",
        "pyrefly": "bad-argument-type",
        "ty": "invalid-argument-type",
        "zuban": "arg-type",
    },
    "unknown keyword": {
        "mypy": "call-arg call-overload",
        "pyright": "reportCallIssue",
        "pyrefly": "unexpected-keyword",
        "ty": "unknown-argument no-matching-overload",
        "zuban": "call-arg call-overload",
    },
    "missing argument": {
        "mypy": "call-arg",
        "pyright": "reportCallIssue",
        "pyrefly": "missing-argument",
        "ty": "missing-argument",
        "zuban": "call-arg",
    },
    "too many arguments": {
        "mypy": "call-arg",
        "pyright": "reportCallIssue",
        "pyrefly": "bad-argument-count unexpected-positional-argument",
        "ty": "too-many-positional-arguments",
        "zuban": "call-arg",
    },
    "no attribute": {
        "mypy": "attr-defined union-attr",
        "pyright": "reportAttributeAccessIssue reportOptionalMemberAccess",
        "pyrefly": "missing-attribute",
        "ty": "missing-attribute missing-union-attribute",
        "zuban": "attr-defined union-attr",
    },
    "no such name": {
        "mypy": "attr-defined",
        "pyright": "reportAttributeAccessIssue",
        "pyrefly": "missing-module-attribute",
        "ty": "missing-module-member",
        "zuban": "attr-defined",
    },
    "wrong assignment": {
        "mypy": "assignment",
        "pyright": "reportAssignmentType",
        "pyrefly": "bad-assignment",
        "ty": "invalid-assignment",
        "zuban": "assignment",
    },
    "not awaitable": {
        "mypy": "misc",
        "pyright": "reportGeneralTypeIssues",
        "pyrefly": "not-async",
        "ty": "invalid-await",
        "zuban": "misc",
    },
    "forgotten await": {
        "mypy": "unused-coroutine",
        "pyright": "reportUnusedCoroutine",
        "pyrefly": "unused-coroutine",
        "ty": "unused-awaitable",
        "zuban": "unused-coroutine",
    },
    "breaks the bound": {
        "mypy": "type-var",
        "pyright": "reportArgumentType",
        "pyrefly": "bad-specialization",
        "ty": "invalid-argument-type",
        "zuban": "type-var",
    },
    "not callable": {
        "mypy": "operator",
        "pyright": "reportCallIssue",
        "pyrefly": "not-callable",
        "ty": "not-callable",
        "zuban": "misc",
    },
    "not iterable": {
        "mypy": "attr-defined",
        "pyright": "reportGeneralTypeIssues",
        "pyrefly": "not-iterable",
        "ty": "not-iterable",
        "zuban": "attr-defined",
    },
}

ECHOES: Mapping[str, set[str]] = {
    "mypy": {"untyped-decorator"},
    "pyright": {
        "reportGeneralTypeIssues",  # "Incorrect keyword arguments for __init_subclass__", beside the error itself
        "reportUnknownMemberType",
        "reportUnusedImport",
        "reportUnknownVariableType",
        "reportUntypedFunctionDecorator",
    },
    "pyrefly": set(),
    "ty": set(),
    "zuban": {"untyped-decorator"},
}
"""Second reports of one mistake, admitted only on the line of an expected error."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a line's comment promises, and of whom."""

    line: int
    kind: str
    text: str
    only: frozenset[str]
    """The checkers that it is about; empty: all."""

    def concerns(self, checker: str) -> bool:
        return not self.only or checker in self.only


_COMMENT = re.compile(
    r"# (?P<kind>reveal|error)(\((?P<only>[\w, ]+)\))?: (?P<text>.*?)(?=$| # (?:reveal|error))"
)


def read_expectations(source: str) -> Iterator[Expectation]:
    """Return what the comments of a case file expect, line by line."""
    for number, line in enumerate(source.splitlines(), start=1):
        for match in _COMMENT.finditer(line):
            only = frozenset(re.findall(r"\w+", match["only"] or ""))
            assert only <= ECHOES.keys(), f"line {number} names an unknown checker: {line.strip()}"
            yield Expectation(number, match["kind"], match["text"].strip(), only)


def deviations(
    checker: str, expected: Sequence[Expectation], found: Sequence[Diagnostic]
) -> Iterator[tuple[int, str]]:
    """Return each line on which the checker and the case file disagree, with what is missing or surplus."""
    wanted = [expectation for expectation in expected if expectation.concerns(checker)]
    for line in sorted({e.line for e in wanted} | {d.line for d in found}):
        on_line = [d for d in found if d.line == line]
        matched: set[Diagnostic] = set()
        expects_error = False
        for expectation in (e for e in wanted if e.line == line):
            expects_error |= expectation.kind == "error"
            answers = {d for d in on_line if _answers(checker, expectation, d)}
            matched |= answers
            if not answers:
                yield line, f"expected {expectation.kind}: {expectation.text}"
        for surplus in (d for d in on_line if d not in matched):
            if not (expects_error and surplus.code in ECHOES[checker]):
                yield line, f"surplus [{surplus.code}] {surplus.message}"


def _answers(checker: str, expectation: Expectation, diagnostic: Diagnostic) -> bool:
    if expectation.kind == "reveal":
        return diagnostic.code == REVEAL and plain_type(diagnostic.message) == expectation.text
    meaning, _, needle = expectation.text.partition(": ")
    return diagnostic.code in MEANINGS[meaning][checker].split() and needle in diagnostic.message


def plain_type(shown: str) -> str:
    """Return a revealed type without quotes and modules, in which alone the checkers differ."""
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", shown.strip("\"'`"))
