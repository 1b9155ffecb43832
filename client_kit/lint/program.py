"""The program as modules and names: where something is defined, through imports and assignments."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from client_kit.lint.modules import Function, Module

T = TypeVar("T")

KINDS = ("workflow", "task", "subscription", "command")


@dataclass
class Program:
    """The modules of one package, read when they are asked for."""

    root: Path
    package: str
    _modules: dict[str, Module | None] = field(default_factory=dict[str, "Module | None"])
    _remembered: dict[object, Any] = field(default_factory=dict[object, Any])
    _open: set[ast.expr] = field(default_factory=set[ast.expr])
    """Values of names that are being looked into."""

    @classmethod
    def of(cls, name: str, path: str) -> Program:
        """Return the program that a module belongs to, by its full name and its file."""
        file = Path(path).resolve()
        levels = len(name.split(".")) - (file.stem != "__init__")
        return cls(file.parents[levels], name.partition(".")[0])

    def module(self, name: str) -> Module | None:
        """Return a module of the package, or beside a module that is in none; None for all others."""
        if name not in self._modules:
            self._modules[name] = self._read(name) if self._is_own(name) else None
        return self._modules[name]

    def _is_own(self, name: str) -> bool:
        first = name.partition(".")[0]
        alone = (self.root / f"{self.package}.py").is_file()
        return first == self.package or (alone and (self.root / f"{first}.py").is_file())

    def _read(self, name: str) -> Module | None:
        file = self._file(name)
        if file is None:
            return None
        try:
            return Module(name, str(file), ast.parse(file.read_bytes()), file.stem == "__init__")
        except (SyntaxError, ValueError):  # somebody else will say so
            return None

    def _file(self, name: str) -> Path | None:
        stem = self.root.joinpath(*name.split("."))
        places = (stem / "__init__.py", stem.with_name(f"{stem.name}.py"))
        return next((place for place in places if place.is_file()), None)

    def remembered(self, look: Callable[[Program], T]) -> T:
        """Return what was found in the whole program, looking once."""
        if look not in self._remembered:
            self._remembered[look] = look(self)
        found: T = self._remembered[look]
        return found

    def files(self) -> list[str]:
        """Return the names of all modules of the package, or of what a single module imports from beside it."""
        folder = self.root / self.package
        if not folder.is_dir():
            return self._beside()
        parts = (file.relative_to(self.root).with_suffix("").parts for file in sorted(folder.rglob("*.py")))
        return [
            ".".join(p[:-1] if p[-1] == "__init__" else p) for p in parts if all(map(str.isidentifier, p))
        ]

    def stamp(self) -> tuple[tuple[str, int], ...]:
        """Return the state of the files: another one, and what was read is old."""
        places = (self._file(name) for name in self.files())
        return tuple((str(place), place.stat().st_mtime_ns) for place in places if place is not None)

    def digest(self) -> str:
        """Return a digest of all sources that the lint of a module may read."""
        whole = hashlib.sha256()
        for path, _ in self.stamp():
            whole.update(Path(path).read_bytes())
        return whole.hexdigest()

    def _beside(self) -> list[str]:
        found, pending = dict[str, None](), [self.package]
        while pending:
            name = pending.pop()
            module = self.module(name)
            if module is not None and name not in found:
                found[name] = None
                pending += [source.partition(".")[0] for source in module.imports.values()]
        return list(found)

    def canonical(self, dotted: str, depth: int = 0) -> str:
        """Return the name under which something is defined, through imports and assignments of the package."""
        owner, rest = self._split(dotted)
        if owner is None or not rest or depth > 20:
            return dotted
        first, *more = rest
        called = first.endswith("()")
        name = first.removesuffix("()")
        target = owner.imports.get(name, "")
        value = owner.definitions.get(name)
        if not target and isinstance(value, ast.expr) and value not in self._open:
            self._open.add(value)  # `open = open`, or two names for each other, lead back here
            target = self.resolve(owner, value, frozenset(), {})
            self._open.discard(value)
        if not target or target == dotted:
            return dotted
        return self.canonical(".".join([target + ("()" if called else ""), *more]), depth + 1)

    def resolve(
        self, module: Module, node: ast.expr, local: frozenset[str], imports: Mapping[str, str]
    ) -> str:
        """Return the full name of an expression, with `()` for a call; empty where it is not plain."""
        match node:
            case ast.Name(id=name):
                if name in imports:
                    return self.canonical(imports[name])
                if name in local:
                    return ""
                if name in module.imports or name in module.definitions:
                    return self.canonical(f"{module.name}.{name}")
                return "" if module.takes_all or name in module.bound else f"builtins.{name}"
            case ast.Attribute(value=value, attr=attribute):
                base = self.resolve(module, value, local, imports)
                return self.canonical(f"{base}.{attribute}") if base else ""
            case ast.Call(func=function):
                base = self.resolve(module, function, local, imports)
                return f"{base}()" if base else ""
            case _:
                return ""

    def definition(self, dotted: str) -> tuple[Module, ast.AST] | None:
        """Return where a name of the package is defined, and as what."""
        owner, rest = self._split(dotted)
        if owner is None or len(rest) != 1 or rest[0] not in owner.definitions:
            return None
        return owner, owner.definitions[rest[0]]

    def function(self, dotted: str) -> tuple[Module, Function] | None:
        """Return where a function of the package is defined."""
        found = self.definition(dotted)
        if found is not None and isinstance(found[1], ast.FunctionDef | ast.AsyncFunctionDef):
            return found[0], found[1]
        return None

    def kind(self, module: Module, node: ast.AST) -> str:
        """Return what a function is declared as, of KINDS; empty for a plain one."""
        for decorator in getattr(node, "decorator_list", ()):
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            package, _, name = self.resolve(module, target, frozenset(), {}).rpartition(".")
            if package.partition(".")[0] == "service_kit" and name in KINDS:
                return name
        return ""

    def bases(self, dotted: str, depth: int = 0) -> Iterator[str]:
        """Yield a class and its ancestors, as far as they are known."""
        yield dotted
        found = self.definition(dotted)
        if found is not None and isinstance(found[1], ast.ClassDef) and depth < 20:
            for base in found[1].bases:
                yield from self.bases(self.resolve(found[0], base, frozenset(), {}), depth + 1)

    def derives(self, dotted: str, ancestor: str) -> bool:
        """Tell whether a class has an ancestor of this name in the framework."""
        return any(a.startswith("service_kit.") and a.endswith(f".{ancestor}") for a in self.bases(dotted))

    def _split(self, dotted: str) -> tuple[Module | None, list[str]]:
        """Return the module of the package that a name begins with, and the rest."""
        parts = dotted.split(".")
        for end in range(len(parts), 0, -1):
            name = ".".join(parts[:end])
            if "(" not in name and (module := self.module(name)) is not None:
                return module, parts[end:]
        return None, parts
