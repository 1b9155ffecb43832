"""Every rule, applied to one module."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from client_kit.lint.awaiting import never_awaited
from client_kit.lint.body import Body
from client_kit.lint.findings import LintFinding
from client_kit.lint.gathering import ungathered
from client_kit.lint.modules import Module, functions_of
from client_kit.lint.program import Program
from client_kit.lint.raising import undeclared
from client_kit.lint.replays import forbidden


def check_module(program: Program, name: str) -> list[LintFinding]:
    """Return what is wrong in one module, in order of line."""
    module = program.module(name)
    if module is None:
        return []
    found: dict[tuple[str, int, str], LintFinding] = {}
    for finding in _findings(program, module):
        found.setdefault((finding.code, finding.line, finding.problem), finding)
    return sorted(found.values(), key=lambda finding: (finding.line, finding.column, finding.code))


def _findings(program: Program, module: Module) -> Iterator[LintFinding]:
    for function in functions_of(module.tree):
        yield from never_awaited(Body(program, module, function))
    for definition in module.definitions.values():
        if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        kind = program.kind(module, definition)
        if kind == "workflow":
            yield from forbidden(Body(program, module, definition))
        elif kind == "command":
            yield from undeclared(Body(program, module, definition))
    yield from ungathered(program, module)
