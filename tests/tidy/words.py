"""What may not stand in the code: unexplained exceptions to a checker, unfinished work, swallowed failures."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping

from tests.tidy.sources import PACKAGES, Source

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
IGNORE = re.compile(r"#\s*type:\s*ignore(?P<rest>.*)")
EXPLAINED = re.compile(r"\[[\w-]+(,\s*[\w-]+)*\]\s+# \S.*")
BROAD = {"Exception", "BaseException"}
SWALLOWED: Mapping[tuple[str, str], str] = {
    ("service_kit/engine/loop.py", "_close"): "the coroutine is abandoned: nobody is there who could be told",
}
"""Functions that pass over every failure and are right to, by file and name, with the reason."""

LOGGERS = re.compile(r"_?log(ger|ging)?", re.IGNORECASE)


def unexplained_ignores(source: Source) -> Iterator[str]:
    """Find `type: ignore` without a code and a reason."""
    for line, comment in _comments(source, IGNORE):
        match = IGNORE.search(comment)
        if match and not EXPLAINED.fullmatch(match["rest"]):
            yield f"{source.path}:{line} '{comment}'; write # type: ignore[<code>]  # <reason>"


def unfinished_work(source: Source) -> Iterator[str]:
    """Find notes that something is still to be done."""
    for line, comment in _comments(source, UNFINISHED):
        if UNFINISHED.search(comment):
            yield f"{source.path}:{line} '{comment}'; do it, or file an issue"


def swallowed_failures(source: Source) -> Iterator[str]:
    """Find handlers of every exception that pass over it, or only log it; a test may, to show what follows."""
    if source.package == "tests":
        return
    for node in _walk_but(source, {name for path, name in SWALLOWED if path == source.path}):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and all(map(_is_idle, node.body)):
            yield f"{source.path}:{node.lineno} swallows every failure; retry, record or raise it"
        if isinstance(node, ast.Call) and _name(node.func) == "suppress" and any(map(_is_broad, node.args)):
            yield f"{source.path}:{node.lineno} suppresses every failure; name the one that is meant"


def prints(source: Source) -> Iterator[str]:
    """Find `print` in the packages; the command line alone speaks."""
    if source.package in PACKAGES and source.room != "cli":
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and _name(node.func) == "print":
                yield f"{source.path}:{node.lineno} prints; log, or return it"


def _comments(source: Source, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    if pattern.search(source.text):  # to tokenize is slow, and most files have nothing to find
        for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def _walk_but(source: Source, functions: set[str]) -> Iterator[ast.AST]:
    """Walk the tree, past these functions."""
    waiting: list[ast.AST] = [source.tree]
    while waiting:
        node = waiting.pop()
        if not (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in functions):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(map(_is_broad, caught.elts))
    return caught is None or _name(caught) in BROAD


def _is_idle(statement: ast.stmt) -> bool:
    match statement:
        case (
            ast.Pass()
            | ast.Continue()
            | ast.Break()
            | ast.Return(value=None)
            | ast.Expr(value=ast.Constant())
        ):
            return True
        case ast.Return(value=ast.Constant(value=None)):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=receiver))):
            return LOGGERS.fullmatch(_name(receiver)) is not None
        case _:
            return False


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case _:
            return ""
