"""Errors that leave a command which does not declare them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from client_kit.lint.body import Body
from client_kit.lint.findings import LintFinding, found
from client_kit.lint.modules import Function


def undeclared(command: Body) -> Iterator[LintFinding]:
    """Find errors that a command raises, itself or in functions of its package, and does not declare."""
    declared = _declared_errors(command)
    if declared is None:
        return
    subject = f"command '{command.function.name}'"
    for error, node, body in _raised(command, (), set()):
        if declared.isdisjoint(command.program.bases(error)):
            name = error.rpartition(".")[2]
            there = (
                ""
                if body is command
                else f" (in {body.module.name}.{body.function.name}, line {node.lineno})"
            )
            at = node if body is command else command.function
            cure = f"add it to errors=[...] of {subject}, or catch it"
            yield found("undeclared-error", command.module.path, at, subject, name, cure, there)


def _declared_errors(command: Body) -> set[str] | None:
    """Return the errors of a command's decorator, or None where they are not plain to see."""
    for decorator in command.function.decorator_list:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            value = keyword.value
            if keyword.arg is None:
                return None
            if keyword.arg == "errors":
                if isinstance(value, ast.Name):
                    value = command.module.definitions.get(value.id, value)  # type: ignore[assignment]  # what is no list is none
                if not isinstance(value, ast.List | ast.Tuple):
                    return None
                names = {
                    command.program.resolve(command.module, item, frozenset(), {}) for item in value.elts
                }
                return None if "" in names else names
    return set()


def _raised(
    body: Body, caught: tuple[str, ...], seen: set[tuple[Function, frozenset[str]]]
) -> Iterator[tuple[str, ast.Raise, Body]]:
    """Yield the declared errors that leave a function: those of the framework's kind, not caught on the way."""
    for node, around in _with_handlers(body, body.function.body, caught):
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = body.resolve(node.exc).removesuffix("()")
            escapes = "*" not in around and set(around).isdisjoint(body.program.bases(error))
            if escapes and body.program.derives(error, "ServiceError"):
                yield error, node, body
        elif isinstance(node, ast.Call):
            defined = body.program.function(body.resolve(node.func))
            if defined is None:
                continue
            module, function = defined
            # A plain function is followed, once under the same handlers; what is declared answers for itself.
            way = (function, frozenset(around))
            if way not in seen and not body.program.kind(module, function):
                seen.add(way)
                yield from _raised(Body(body.program, module, function), around, seen)


def _with_handlers(
    body: Body, statements: Iterable[ast.AST], caught: tuple[str, ...]
) -> Iterator[tuple[ast.AST, tuple[str, ...]]]:
    """Yield the nodes of statements, each with the errors that are caught around it; `*` is every one."""
    for statement in statements:
        if isinstance(statement, ast.Try | ast.TryStar):
            names = tuple(name for handler in statement.handlers for name in _caught(body, handler))
            yield from _with_handlers(body, statement.body, (*caught, *names))
            rest = [*statement.handlers, *statement.orelse, *statement.finalbody]
            yield from _with_handlers(body, rest, caught)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue  # it runs when, and where, it is called
        elif isinstance(statement, ast.With | ast.AsyncWith):
            around = tuple("*" for item in statement.items if _may_suppress(body, item.context_expr))
            yield from ((item, caught) for item in statement.items)
            yield from _with_handlers(body, statement.body, (*caught, *around))
        else:
            yield statement, caught
            yield from _with_handlers(body, ast.iter_child_nodes(statement), caught)


def _caught(body: Body, handler: ast.ExceptHandler) -> Iterator[str]:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    for kind in kinds:
        name = body.resolve(kind) if kind is not None else ""
        yield name if name and name not in ("builtins.Exception", "builtins.BaseException") else "*"


def _may_suppress(body: Body, context: ast.expr) -> bool:
    return body.resolve(context).rpartition(".")[2] in ("suppress()", "raises()")
