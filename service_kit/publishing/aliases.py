"""Names that the authors of a module gave to types: found again, so that `Sku` is published as `Sku`."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from service_kit.publishing.origins import is_carried


@dataclass(frozen=True, slots=True)
class Alias:
    """Where a name of a type is assigned, or in a public module, from where it is imported."""

    module: str
    name: str
    is_public: bool
    """Whether it belongs to a library that the published package may import."""


def find_alias(form: object, module: str) -> Alias | None:
    """Return the name that `form` has in a module: assigned there, or imported by it."""
    found = sys.modules.get(module)
    if found is None:
        return None
    for name, value in vars(found).items():
        if value is form and (alias := _home(module, name, 0)) is not None:
            return alias
    return None


def _home(module: str, name: str, depth: int) -> Alias | None:
    if is_carried(module):
        return Alias(module, name, is_public=True)
    names = _names(module)
    if name in names.assigned:
        return Alias(module, name, is_public=False)
    source = names.imported.get(name)
    if source is None or depth > 8 or source[0] not in sys.modules:
        return None
    return _home(*source, depth + 1)


@dataclass(frozen=True, slots=True)
class _Names:
    assigned: frozenset[str]
    imported: dict[str, tuple[str, str]]


@cache
def _names(module: str) -> _Names:
    """Return what a module assigns and what it imports, by its source; nothing if there is none."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError, SyntaxError):
        return _Names(frozenset(), {})
    assigned: set[str] = set()
    imported: dict[str, tuple[str, str]] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                assigned.add(name)
            case ast.ImportFrom():
                base = _absolute(sys.modules[module], node)
                imported.update({a.asname or a.name: (base, a.name) for a in node.names})
            case _:
                pass
    return _Names(frozenset(assigned), imported)


def _absolute(module: ModuleType, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package: Any = module.__package__ or ""
    parts = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])
