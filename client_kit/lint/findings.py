"""One mistake, at its place, in the words of the table."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from client_kit.lint.rules import RULES


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One mistake, at its place."""

    code: str
    path: str
    line: int
    column: int
    subject: str
    """The declaration that it is about: `workflow 'ship'`."""
    problem: str
    cure: str
    declaration: str = ""
    """Of what is not gathered, `module:name`."""
    seen_by_types: bool = False
    """Whether a type checker reports it, too."""


def found(
    code: str,
    path: str,
    node: ast.AST,
    subject: str,
    name: str,
    cure: str,
    there: str = "",
) -> LintFinding:
    """Return a finding; `name` is what the rule's sentence speaks of, `there` what comes after it."""
    problem = RULES[code][1].format(name=name) + there
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    return LintFinding(code, path, line, column, subject, problem, cure)
