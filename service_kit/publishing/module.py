"""One module of a published package: its imports and its text."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from service_kit.publishing.definitions import Argument, Assignment, Class, Definition, Line, Method
from service_kit.publishing.expressions import (
    Call,
    Display,
    Expression,
    Imported,
    Local,
    Member,
    Pair,
    Quoted,
    String,
    Subscript,
    Text,
    Union,
    walk,
)
from service_kit.publishing.layout import INDENT, WIDTH, docstring, flat, identifier, laid_out
from service_kit.publishing.naming import free_name


class Module:
    """Settles names for one file: what it defines, what its neighbours define, and what it imports."""

    def __init__(self, place: str, places: Mapping[str, str], names: Mapping[str, str]) -> None:
        """Take the place of every definition, and its name, by key."""
        self._place = place
        self._places = places
        self._names = names
        self._members: set[str] = set()
        self._imports: dict[Imported, str] = {}
        self._neighbours: dict[tuple[str, str], str] = {}
        self._taken: set[str] = {names[key] for key, where in places.items() if where == place}

    def prepare(self, members: Iterable[str], expressions: Iterable[Expression]) -> None:
        """Choose the names of imports: `members` are names within classes, which hide names around them."""
        self._members = set(members)
        self._taken |= self._members
        found = [one for expression in expressions for one in walk(expression)]
        for key in sorted({one.key for one in found if isinstance(one, Local)}):
            if self._places[key] != self._place:
                name = self._names[key]
                self._neighbours[self._places[key], name] = free_name(name, self._taken)
                self._taken.add(self._neighbours[self._places[key], name])
        for one in sorted({one for one in found if isinstance(one, Imported)}, key=_by_module):
            if one.module != "builtins":
                self._imports[one] = free_name(one.name, self._taken)
                self._taken.add(self._imports[one])
            elif one.name in self._taken:
                self._imports[one] = f"builtins.{one.name}"

    def settle(self, expression: Expression) -> Expression:
        """Return an expression with names for references."""
        match expression:
            case Imported(name=name):
                return Text(self._imports.get(expression, name))
            case Local(key=key):
                place, name = self._places[key], self._names[key]
                return Text(name if place == self._place else self._neighbours[place, name])
            case Text() | String():
                return expression
            case Member(base=base, name=name):
                return Member(self.settle(base), name)
            case Call(function=function, arguments=arguments):
                return Call(self.settle(function), tuple((n, self.settle(v)) for n, v in arguments))
            case Subscript(base=base, items=items):
                return Subscript(self.settle(base), tuple(map(self.settle, items)))
            case Union(members=members):
                return Union(tuple(map(self.settle, members)))
            case Display(opening=opening, items=items, closing=closing):
                return Display(opening, tuple(map(self.settle, items)), closing)
            case Pair(key=key, value=value):
                return Pair(self.settle(key), self.settle(value))
            case Quoted(inner=inner):
                return Quoted(self.settle(inner))

    def imports(self) -> list[str]:
        """Return the lines of imports, in the order in which linters want them."""
        sections: tuple[list[str], ...] = ([], [], [])
        if any(name.startswith("builtins.") for name in self._imports.values()):
            sections[0].append("import builtins")
        by_module: dict[str, list[tuple[str, str]]] = {}
        for one, name in self._imports.items():
            if one.module != "builtins":
                by_module.setdefault(one.module, []).append((one.name, name))
        for (place, original), name in self._neighbours.items():
            by_module.setdefault(f".{place}", []).append((original, name))
        for module in sorted(by_module):
            sections[_section(module)].extend(_import_lines(module, by_module[module]))
        return "\n\n".join("\n".join(section) for section in sections if section).splitlines()

    def definition(self, key: str, definition: Definition) -> list[str]:
        """Return the lines of one definition."""
        name = self._names[key]
        match definition:
            case Class():
                return self._class(name, definition)
            case Assignment(annotation=annotation, value=value, doc=doc):
                lines = self._line(Line(name, annotation, value), 0)
                return [*lines, *(docstring(doc, 0) if doc else ())]

    def _class(self, name: str, definition: Class) -> list[str]:
        lines: list[str] = []
        if definition.decorator is not None:
            lines += f"@{laid_out(self.settle(definition.decorator), 0, 1)}".splitlines()
        lines += self.class_line(name, definition.bases, definition.keywords)
        body = docstring(definition.doc, 1) if definition.doc else []
        if definition.lines and body:
            body.append("")
        for number, line in enumerate(definition.lines):
            body += self._line(line, 1)
            if line.annotation is None and line.name == "model_config" and number + 1 < len(definition.lines):
                body.append("")
        return [*lines, *(body or [f"{INDENT}pass"])]

    def class_line(
        self, name: str, bases: Iterable[Expression], keywords: Iterable[tuple[str, Expression]]
    ) -> list[str]:
        """Return `class Order(Item):`."""
        inside = tuple(("", self.settle(base)) for base in bases)
        inside += tuple((keyword, self.settle(value)) for keyword, value in keywords)
        if not inside:
            return [f"class {identifier(name)}:"]
        return f"class {laid_out(Call(Text(identifier(name)), inside), 0, 6, 1)}:".splitlines()

    def method(self, method: Method) -> list[str]:
        """Return the lines of a signature."""
        lines = [
            f"{INDENT}{line}" if number == 0 else line
            for number, line in enumerate(f"@{laid_out(self.settle(method.decorator), 1, 1)}".splitlines())
        ]
        lines += self._signature(method)
        if method.doc:
            lines += docstring(method.doc, 2)
        return [*lines, f"{INDENT * 2}raise NotImplementedError"]

    def _signature(self, method: Method) -> list[str]:
        start = f"{INDENT}{'async ' if method.is_async else ''}def {identifier(method.name)}("
        result = self.settle(method.result)
        rows = [("self", "")]
        starred = False
        for argument in method.arguments:
            if argument.keyword_only and not starred:
                rows.append(("*", ""))
                starred = True
            rows.append((self._argument(argument, 2), "  # noqa: B006" if argument.mutable else ""))
        one_line = f"{start}{', '.join(row for row, _ in rows)}) -> {flat(result)}:"
        if "\n" not in one_line and len(one_line) <= WIDTH and not any(note for _, note in rows):
            return [one_line]
        text = "".join(f"\n{INDENT * 2}{row},{note}" for row, note in rows)
        end = laid_out(result, 1, len(") -> "), 1)
        return f"{start}{text}\n{INDENT}) -> {end}:".splitlines()

    def _argument(self, argument: Argument, depth: int) -> str:
        return "\n".join(
            self._line(Line(argument.name, argument.annotation, argument.default), depth, after=1)
        ).strip()

    def _line(self, line: Line, depth: int, after: int = 0) -> list[str]:
        indent, name = INDENT * depth, identifier(line.name)
        value = None if line.value is None else self.settle(line.value)
        if line.annotation is None:
            assert value is not None, f"{name} has neither a type nor a value"
            return f"{indent}{name} = {laid_out(value, depth, len(name) + 3, after)}".splitlines()
        annotation = self.settle(line.annotation)
        if value is None:
            return f"{indent}{name}: {laid_out(annotation, depth, len(name) + 2, after)}".splitlines()
        shown = flat(annotation)
        # A call can be broken behind a short type; anything else behind it is short itself.
        room = WIDTH - len(indent) - len(name) - len(" = ") - len(": ")
        if not isinstance(value, Call) or len(shown) + len(flat(value.function)) + 1 > room:
            shown = laid_out(annotation, depth, len(name) + 2, len(flat(value)) + 3 + after)
        last = shown.splitlines()[-1]
        before = len(last) + 3 - len(indent) if "\n" in shown else len(name) + 2 + len(last) + 3
        return f"{indent}{name}: {shown} = {laid_out(value, depth, before, after)}".splitlines()

    def attribute(self, line: Line) -> list[str]:
        """Return the lines of a signal or a state."""
        return self._line(line, 1)


def _by_module(one: Imported) -> tuple[str, str]:
    return one.module, one.name


def _section(module: str) -> int:
    if module.startswith("."):
        return 2
    return 0 if module.split(".")[0] in sys.stdlib_module_names else 1


def _import_lines(module: str, names: Iterable[tuple[str, str]]) -> list[str]:
    plain = sorted({name for name, local in names if name == local}, key=import_order)
    lines = [f"from {module} import {name} as {local}" for name, local in sorted(names) if name != local]
    if plain:
        lines.insert(0, import_line(module, plain))
    return lines


def import_line(module: str, names: Iterable[str]) -> str:
    """Return `from module import a, b`, on as many lines as it takes."""
    rows = list(names)
    one_line = f"from {module} import {', '.join(rows)}"
    if len(one_line) <= WIDTH:
        return one_line
    gap = f"\n{INDENT}"
    return f"from {module} import ({gap}{f',{gap}'.join(rows)},\n)"


def import_order(name: str) -> tuple[int, str, str]:
    """Sort constants first, then classes, then the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower(), name
