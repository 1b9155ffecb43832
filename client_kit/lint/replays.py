"""Clocks, chance, I/O and threads in workflows: what a replay would do again, or otherwise."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from client_kit.lint.body import Body
from client_kit.lint.findings import LintFinding, found
from client_kit.lint.rules import FORBIDDEN, SIDE_BY_SIDE


def forbidden(workflow: Body) -> Iterator[LintFinding]:
    """Find clocks, chance, I/O and threads in a workflow, and in what it names in its package."""
    home, subject = workflow.module.path, f"workflow '{workflow.function.name}'"
    pending: list[tuple[Body, ast.expr | None]] = [(workflow, None)]
    seen = {workflow.function}
    while pending:
        body, anchor = pending.pop(0)
        for node in body.nodes():
            if not isinstance(node, ast.Call):
                continue
            shown, (code, cure) = ast.unparse(node.func), FORBIDDEN.get(body.resolve(node.func), ("", ""))
            if isinstance(node.func, ast.Attribute) and node.func.attr == "run_in_executor":
                code, cure = "workflow-thread", SIDE_BY_SIDE
            if code:
                there = f" (in {body.module.name}.{body.function.name}, line {node.lineno})" if anchor else ""
                yield found(code, home, anchor or node, subject, shown, cure, there)
        for node, module, function in body.mentions():
            if function not in seen:
                seen.add(function)
                outside = anchor or (node if module.path != home else None)
                pending.append((Body(body.program, module, function), outside))
