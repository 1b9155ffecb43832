"""Five type checkers say of every line of the case files what its comment expects."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.typing.checkers import CHECKERS, REVEAL, ROOT, Checker, Diagnostic
from tests.typing.expectations import deviations, plain_type, read_expectations

CASES = sorted((ROOT / "tests" / "typing" / "cases").glob("*.py"))

ALL_BUT_ZUBAN = {"mypy", "pyright", "pyrefly", "ty"}
GAPS = {
    # zuban 0.10.2 takes the class keywords of a dataclass_transform class for dataclass parameters, unchecked.
    'class Teapot(ServiceError, status="418"):': ALL_BUT_ZUBAN,
    "class Unavailable(ServiceError, code=503):": ALL_BUT_ZUBAN,
    # zuban 0.10.2: `except` binds Any for whatever is a dataclass, the standard library's included.
    "reveal_type(error.sku)": ALL_BUT_ZUBAN,
    "reveal_type(error.left)": ALL_BUT_ZUBAN,
    "reveal_type(error.status)": ALL_BUT_ZUBAN,
    "error.shelf": ALL_BUT_ZUBAN,
    # The second spelling, as an expression: three do not call what is Annotated; `connect` is for all five.
    'made = ServiceClient[Orders]("https://orders.example.com")': {"pyrefly", "ty", "zuban"},
    "reveal_type(made)": {"mypy", "pyright"},
}
"""The lines on which not all five agree, whom the first comment is about, and whose defect it is."""


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker.name)
def test_each_line_is_judged_as_its_comment_expects(checker: Checker) -> None:
    found = checker.check(CASES)
    disagreements: list[str] = []
    for case in CASES:
        path = case.relative_to(ROOT).as_posix()
        expected = list(read_expectations(case.read_text()))
        here = [d for d in found if d.path == path]
        disagreements += [f"{path}:{line}: {what}" for line, what in deviations(checker.name, expected, here)]
    assert not disagreements, f"{checker.name} disagrees:\n" + "\n".join(disagreements)


def test_only_the_named_gaps_are_not_common_to_all_five() -> None:
    found: dict[str, set[str]] = {}
    for case in CASES:
        source = case.read_text()
        for expectation in read_expectations(source):
            if expectation.only:
                code = source.splitlines()[expectation.line - 1].partition("#")[0].strip()
                found.setdefault(code, set(expectation.only))
    assert found == GAPS


CASE = """
reveal_type(order)  # reveal: Order
place_order(1)  # error: wrong type: str
count_orders()
"""
AGREED = (
    Diagnostic("case.py", 2, REVEAL, "`shop.orders.Order`"),
    Diagnostic("case.py", 3, "reportArgumentType", "1 is not assignable to str"),
)


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        (AGREED, None),
        (AGREED[1:], (2, "expected reveal: Order")),
        (AGREED[:1], (3, "expected error: wrong type: str")),
        ((*AGREED, Diagnostic("case.py", 4, "reportCallIssue", "no")), (4, "surplus [reportCallIssue] no")),
        ((*AGREED, Diagnostic("case.py", 3, "reportCallIssue", "no")), (3, "surplus [reportCallIssue] no")),
        ((*AGREED, Diagnostic("case.py", 3, "reportUnknownMemberType", "an echo")), None),
        (
            (*AGREED, Diagnostic("case.py", 4, "reportUnknownMemberType", "no")),
            (4, "surplus [reportUnknownMemberType] no"),
        ),
        ((*AGREED, Diagnostic("case.py", 4, REVEAL, "int")), (4, "surplus [reveal] int")),
        ((Diagnostic("case.py", 2, REVEAL, "Invoice"), AGREED[1]), (2, "expected reveal: Order")),
        (
            (AGREED[0], Diagnostic("case.py", 3, "reportArgumentType", "1 is no int")),
            (3, "expected error: wrong type: str"),
        ),
        (
            (AGREED[0], Diagnostic("case.py", 3, "reportCallIssue", "str")),
            (3, "expected error: wrong type: str"),
        ),
    ],
)
def test_a_missing_or_surplus_report_is_noticed(
    found: Sequence[Diagnostic], complaint: tuple[int, str] | None
) -> None:
    disagreements = list(deviations("pyright", list(read_expectations(CASE)), found))
    assert (complaint in disagreements) if complaint else not disagreements


def test_an_expectation_for_one_checker_does_not_bind_the_others() -> None:
    expected = list(read_expectations("x = f(1)  # error(mypy): wrong type: str # reveal(ty): int"))
    assert [e.kind for e in expected] == ["error", "reveal"]
    assert [what for _, what in deviations("mypy", expected, [])] == ["expected error: wrong type: str"]
    assert not list(deviations("zuban", expected, []))


@pytest.mark.parametrize("shown", ["shop.orders.Order | None", "`Order | None`", '"Order | None"'])
def test_types_are_compared_without_quotes_and_modules(shown: str) -> None:
    assert plain_type(shown) == "Order | None"
