"""The project's Python files, parsed once, and the imports that each one makes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("service_kit", "client_kit")
PLACES = (*PACKAGES, "plugins", "stubs", "benchmarks", "tests")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, or name of a module, as a run-time dependency."""

    target: str
    line: int
    function: str
    """Qualified name of the function that imports when it is called; empty: imported with the module."""


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file."""

    path: str
    text: str
    tree: ast.Module

    @staticmethod
    def parse(path: str, text: str) -> Source:
        return Source(path, text, ast.parse(text, path))

    @property
    def package(self) -> str:
        """The import package, or the top-level folder."""
        return self.path.partition("/")[0]

    @property
    def room(self) -> str:
        """The room within the package; empty for the package's own face."""
        inside = self.path.split("/")[1:]
        return "" if inside in ([], ["__init__.py"]) else inside[0].removesuffix(".py")

    @property
    def is_init(self) -> bool:
        return self.path.endswith("/__init__.py")

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def doc(self) -> str:
        return ast.get_docstring(self.tree) or ""

    def imports(self) -> list[Import]:
        """Return the imports that happen at run time: those under TYPE_CHECKING do not."""
        return list(_imports(self, self.tree, ""))

    def all_imports(self) -> list[Import]:
        """Return every import, those for type checkers too."""
        return [found for node in ast.walk(self.tree) for found in _targets(self, node, "")]


@cache
def project() -> tuple[Source, ...]:
    """Return every Python file of the project, in order of path."""
    files = [path for place in PLACES for path in (ROOT / place).rglob("*.py")]
    files += ROOT.glob("*.py")
    kept = (path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts)
    return tuple(Source.parse(path, (ROOT / path).read_text()) for path in sorted(kept))


def shipped() -> tuple[Source, ...]:
    """Return the files of the two import packages."""
    return tuple(source for source in project() if source.package in PACKAGES)


def by_module(sources: tuple[Source, ...]) -> Mapping[str, Source]:
    return {source.module: source for source in sources}


def resolve(target: str, modules: Mapping[str, Source]) -> str | None:
    """Return the module of these that an import of `target` loads; None if it is none of them."""
    while target:
        if target in modules:
            return target
        target = target.rpartition(".")[0]
    return None


def _imports(source: Source, node: ast.AST, scope: str, *, inside: bool = False) -> Iterator[Import]:
    """Walk the statements that run; `inside` a function, they run when it is called."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.expr():
                pass  # no statement is in an expression, and most of a tree is expressions
            case ast.Import() | ast.ImportFrom():
                yield from _targets(source, child, scope if inside else "")
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                for alternative in child.orelse:
                    yield from _imports(source, ast.Module([alternative], []), scope, inside=inside)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _imports(source, child, f"{scope}.{child.name}".lstrip("."), inside=True)
            case ast.ClassDef():
                yield from _imports(source, child, f"{scope}.{child.name}".lstrip("."), inside=inside)
            case _:
                yield from _imports(source, child, scope, inside=inside)


def _targets(source: Source, node: ast.AST, function: str) -> Iterator[Import]:
    match node:
        case ast.Import():
            for alias in node.names:
                yield Import(alias.name, node.lineno, function)
        case ast.ImportFrom():
            base = _absolute(source, node)
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", node.lineno, function)


def _absolute(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = source.path.split("/")[: -node.level]
    return ".".join([*parts, *([node.module] if node.module else [])])
