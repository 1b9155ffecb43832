"""Awaitables that nobody awaits: calls whose coroutine is dropped, or kept in a name that nobody reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from client_kit.lint.body import Body
from client_kit.lint.findings import LintFinding, found
from client_kit.lint.modules import Function

AWAITABLE = {
    "asyncio.sleep",
    *(f"service_kit.{name}" for name in ("duration", "until", "condition", "emit_all", "Signal().receive")),
}


def never_awaited(body: Body) -> Iterator[LintFinding]:
    loaded = {
        node.id for node in body.nodes() if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    subject = f"function '{body.function.name}'"
    for node in body.nodes():
        match node:
            case ast.Expr(value=ast.Call() as call):
                typed = True
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if name not in loaded:
                typed = False
            case _:
                continue
        if _is_awaitable(body, call):
            shown = ast.unparse(call.func)
            cure = f"write 'await {shown}(...)'"
            finding = found("never-awaited", body.module.path, call, subject, shown, cure)
            yield replace(finding, seen_by_types=typed)


def _is_awaitable(body: Body, call: ast.Call) -> bool:
    dotted = body.resolve(call.func)
    owner, _, attribute = dotted.rpartition(".")
    if dotted in AWAITABLE:
        return True
    if attribute == "emit" and owner.endswith("()"):
        return body.program.derives(owner[:-2], "Event")
    if (
        attribute in ("start", "continue_as_new")
        and _kind(body, owner.removesuffix(".options()")) == "workflow"
    ):
        return True
    return _kind(body, dotted.removesuffix(".options()")) in ("workflow", "task", "command", "async")


def _kind(body: Body, dotted: str) -> str:
    """Return what a function is declared as, `async` for a plain coroutine, empty for all else and for streams."""
    defined = body.program.function(dotted)
    if defined is None or _yields(defined[1]):
        return ""
    plain = isinstance(defined[1], ast.AsyncFunctionDef) and not defined[1].decorator_list
    return "async" if plain else body.program.kind(*defined)


def _yields(function: Function) -> bool:
    pending: list[ast.AST] = [*function.body]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return False
