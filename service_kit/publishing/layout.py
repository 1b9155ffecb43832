"""Source text of expressions, broken into lines as formatters do: nothing has to be formatted afterwards."""

from __future__ import annotations

import keyword
import re

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
)

WIDTH = 88
"""The narrowest that formatters are commonly set to: what fits is left alone by wider ones."""
INDENT = "    "


def flat(expression: Expression) -> str:
    """Return an expression, its names settled, on one line."""
    match expression:
        case Text(text=text):
            return text
        case String(value=value):
            return quote(value)
        case Member(base=base, name=name):
            return f"{flat(base)}.{identifier(name)}"
        case Call(function=function, arguments=arguments):
            return f"{flat(function)}({', '.join(_argument(n, flat(v)) for n, v in arguments)})"
        case Subscript(base=base, items=items):
            return f"{flat(base)}[{', '.join(map(flat, items))}]"
        case Union(members=members):
            return " | ".join(map(flat, members))
        case Display(opening="(", items=(only,)):
            return f"({flat(only)},)"
        case Display(opening=opening, items=items, closing=closing):
            return f"{opening}{', '.join(map(flat, items))}{closing}"
        case Pair(key=key, value=value):
            return f"{flat(key)}: {flat(value)}"
        case Quoted(inner=inner):
            return quote(flat(inner))
        case Imported() | Local():
            raise AssertionError(f"the name of {expression} is not settled")


def laid_out(expression: Expression, depth: int, before: int, after: int = 0, *, inside: bool = False) -> str:
    """Return an expression, its names settled, in as many lines as it takes.

    `depth` is the indentation of its line, `before` and `after` are characters that stand beside it there;
    `inside` brackets, a line may be broken without parentheses.
    """
    one_line = flat(expression)
    if len(INDENT) * depth + before + len(one_line) + after <= WIDTH:
        return one_line
    match expression:
        case Call(function=function, arguments=arguments) if arguments:
            rows = [_row(n, v, depth + 1) for n, v in arguments]
            return _bracketed(f"{flat(function)}(", rows, ")", depth)
        case Subscript(base=base, items=items):
            rows = [laid_out(item, depth + 1, 0, 1, inside=True) for item in items]
            return _bracketed(f"{flat(base)}[", rows, "]", depth, comma=len(items) > 1)
        case Display(opening=opening, items=items, closing=closing) if items:
            rows = [laid_out(item, depth + 1, 0, 1, inside=True) for item in items]
            return _bracketed(opening, rows, closing, depth)
        case Pair(key=key, value=value):
            start = f"{flat(key)}: "
            return start + laid_out(value, depth, len(start), after, inside=True)
        case Union(members=members):
            return _broken_union(members, depth, inside=inside)
        case String(value=value) if (lines := _broken_string(value, depth + 1)) and len(lines) > 1:
            gap = "\n" + INDENT * (depth + 1)
            return f"({gap}{gap.join(lines)}\n{INDENT * depth})"
        case _:
            return one_line


def identifier(name: str) -> str:
    """Return a name as it stands; raise ValueError for what would be another piece of source.

    Names come out of documents that anybody may have written: each is to be made one of Python before it gets here.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"{name!r} is no name in Python; whoever read it should have chosen one")
    return name


def quote(value: str) -> str:
    """Return a string literal in double quotes where that needs no more escapes."""
    text = repr(value)
    if text.startswith("'") and '"' not in value:
        return f'"{text[1:-1]}"'
    if text.startswith("'") and value.count('"') <= value.count("'"):
        return '"' + text[1:-1].replace('"', '\\"').replace("\\'", "'") + '"'
    return text


def docstring(text: str, depth: int) -> list[str]:
    """Return the lines of a docstring; long ones are wrapped, its own breaks stay."""
    indent = INDENT * depth
    # A description may hold anything, a source may not.
    printable = "".join(c for c in text if c.isprintable() or c.isspace())
    clean = printable.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines: list[str] = []
    for line in clean.strip().splitlines():
        lines += _wrapped(line.rstrip(), WIDTH - len(indent) - 6) if line.strip() else [""]
    if len(lines) == 1 and not lines[0].endswith('"'):
        return [f'{indent}"""{lines[0]}"""']
    return [f'{indent}"""{lines[0]}', *(f"{indent}{x}" if x else "" for x in lines[1:]), f'{indent}"""']


def _bracketed(opening: str, rows: list[str], closing: str, depth: int, *, comma: bool = True) -> str:
    gap = "\n" + INDENT * (depth + 1)
    end = "," if comma else ""
    return f"{opening}{gap}{f',{gap}'.join(rows)}{end}\n{INDENT * depth}{closing}"


def _row(name: str, value: Expression, depth: int) -> str:
    start = f"{identifier(name)}=" if name else ""
    return start + laid_out(value, depth, len(start), 1, inside=True)


def _argument(name: str, value: str) -> str:
    return f"{identifier(name)}={value}" if name else value


def _broken_union(members: tuple[Expression, ...], depth: int, *, inside: bool) -> str:
    if inside:
        return f"\n{INDENT * depth}| ".join(laid_out(m, depth, 2, 1, inside=True) for m in members)
    gap = "\n" + INDENT * (depth + 1)
    rows = f"{gap}| ".join(laid_out(m, depth + 1, 2, inside=True) for m in members)
    return f"({gap}{rows}\n{INDENT * depth})"


def _broken_string(value: str, depth: int) -> list[str]:
    """Return a string as several literals, each on a line of its own."""
    room = WIDTH - len(INDENT) * depth - 3
    words = re.findall(r"\S*\s*", value)
    rows, row = [], ""
    for word in words:
        if row and len(quote(row + word)) > room:
            rows.append(quote(row))
            row = ""
        row += word
    return [*rows, quote(row)] if row else rows


def _wrapped(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    margin = re.match(r"\s*", line)
    indent = margin.group() if margin else ""
    rows, row = [], ""
    for word in line.split():
        if row and len(indent) + len(row) + 1 + len(word) > width:
            rows.append(indent + row)
            row = word
        else:
            row = f"{row} {word}" if row else word
    return [*rows, indent + row]
