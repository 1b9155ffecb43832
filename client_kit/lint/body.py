"""The code of one function, and what its names mean there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from client_kit.lint.modules import Function, Module, imports_of
from client_kit.lint.program import Program


class Body:
    """The code of one function, and what its names mean there."""

    def __init__(self, program: Program, module: Module, function: Function) -> None:
        self.program = program
        self.module = module
        self.function = function
        self.imports: dict[str, str] = imports_of(list(ast.walk(function)), module)
        self._local = bound_in(function) - self.imports.keys()

    def resolve(self, node: ast.expr) -> str:
        return self.program.resolve(self.module, node, self._local, self.imports)

    def nodes(self) -> Iterator[ast.AST]:
        """Yield everything that runs when the function does, or one that it defines."""
        for statement in self.function.body:
            yield from ast.walk(statement)

    def mentions(self) -> Iterator[tuple[ast.expr, Module, Function]]:
        """Yield the plain functions of the package that are named, with where."""
        for node in self.nodes():
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                found = self.program.function(self.resolve(node))
                if found is None:
                    continue
                if not self.program.kind(found[0], found[1]):
                    yield node, found[0], found[1]


def bound_in(function: Function) -> frozenset[str]:
    """Return the names that a function binds, or one inside it: what they mean is not looked into."""
    names = {
        argument.arg
        for node in ast.walk(function)
        if isinstance(node, ast.arguments)
        for argument in _all(node)
    }
    for node in ast.walk(function):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if node is not function:
                    names.add(name)
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                names.add(name)
            case _:
                continue
    return frozenset(names)


def _all(arguments: ast.arguments) -> list[ast.arg]:
    more = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *more]
