"""One file, and what the names of its top level mean."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of the program, and what its names mean."""

    name: str
    path: str
    tree: ast.Module
    is_package: bool

    @cached_property
    def imports(self) -> Mapping[str, str]:
        return imports_of(self.tree.body, self)

    @cached_property
    def bound(self) -> frozenset[str]:
        """Every name that the top level binds, in a loop or a condition, too."""
        found: set[str] = set()
        pending: list[ast.AST] = [*self.tree.body]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            else:
                pending += ast.iter_child_nodes(node)
        return frozenset(found)

    @cached_property
    def takes_all(self) -> bool:
        """Whether an `import *` may bind any name."""
        return "*" in self.imports

    @cached_property
    def definitions(self) -> Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr]:
        """Functions, classes and assigned values of the module itself; a name that is bound twice is left out."""
        found: dict[str, Any] = {}
        twice: set[str] = set()
        for node in self.tree.body:
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    value: Any = node
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    pass
                case _:
                    continue
            if name in found:
                twice.add(name)
            found[name] = value
        return {name: value for name, value in found.items() if name not in twice}


def functions_of(tree: ast.AST) -> Iterator[Function]:
    """Yield the functions of a module and its classes; those inside functions are part of them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif not isinstance(node, ast.expr):
            yield from functions_of(node)


def imports_of(nodes: Iterable[ast.AST], module: Module) -> dict[str, str]:
    """Return the full name of what each import binds."""
    found: dict[str, str] = {}
    for node in nodes:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    first = alias.name.partition(".")[0]
                    found[alias.asname or first] = alias.name if alias.asname else first
            case ast.ImportFrom(names=names):
                for alias in names:
                    found[alias.asname or alias.name] = f"{_source(node, module)}.{alias.name}"
            case ast.If(body=body, orelse=orelse) | ast.Try(body=body, orelse=orelse):
                found |= imports_of([*body, *orelse], module)
            case _:
                continue
    return found


def _source(node: ast.ImportFrom, module: Module) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    base = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*base, *([node.module] if node.module else [])])
