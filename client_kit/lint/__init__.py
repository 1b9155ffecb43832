"""Lint for services: what types cannot say, read from the source. `client_kit.mypy` and `service-kit check` apply it.

`rules` is the one table, `program` and `body` say what names mean, and each other module is one kind of mistake.
Nothing is imported or run, and where a name's meaning is not plain, nothing is reported.
"""

from __future__ import annotations

from client_kit.lint.findings import LintFinding as LintFinding
from client_kit.lint.program import Program as Program
from client_kit.lint.rules import RULES as RULES
from client_kit.lint.whole import check_module as check_module

__all__ = ["RULES", "LintFinding", "Program", "check_module"]
