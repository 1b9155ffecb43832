"""How large files and functions may be, how they are named, and how tests mirror the rooms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.tidy.arrows import INWARD
from tests.tidy.sources import PACKAGES, Source

FILE_LINES, FILE_LINES_WITH_REASON, FUNCTION_LINES, PARAMETERS, INIT_LINES = 300, 500, 70, 7, 10
REASON = "though long"
"""What the docstring of a file over 300 lines says before it gives the reason."""

FORBIDDEN_NAMES = re.compile(r"(utils?|helpers?|common|manager|misc|part\d+)(\.py)?")

TEST_FOLDERS = {
    "client_kit": "the other package",
    "plugins": "the example services",
    "benchmarks": "the programs that measure",
    "aws": "what runs on emulators of AWS",
    "typing": "what type checkers say",
    "tidy": "the rules of this test",
    "histories": "recorded histories, replayed for ever",
}
"""Folders of tests that are no room of service_kit."""


def long_files(source: Source) -> Iterator[str]:
    """Find files past 500 lines, or past 300 without a reason in the docstring."""
    lines = source.text.count("\n")
    if lines > FILE_LINES_WITH_REASON:
        yield f"{source.path}: {lines} lines; split it by noun"
    elif lines > FILE_LINES and REASON not in source.doc:
        yield f"{source.path}: {lines} lines; split it, or say in the docstring why it is one thing, '{REASON}'"


def long_functions(source: Source) -> Iterator[str]:
    """Find functions past 70 lines or seven parameters."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        at = f"{source.path}:{node.lineno} {node.name}"
        assert node.end_lineno is not None
        if (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES:
            yield f"{at}: {lines} lines; take its leaves out"
        if (count := _parameters(node)) > PARAMETERS and not _is_command(node):
            yield f"{at}: {count} parameters; make an options object of them"


def forbidden_names(source: Source) -> Iterator[str]:
    """Find files and folders named after nothing."""
    for part in source.path.split("/"):
        if FORBIDDEN_NAMES.fullmatch(part):
            yield f"{source.path}: '{part}' says nothing; name it after what it holds"


def missing_room_doc(source: Source) -> Iterator[str]:
    """Find packages that do not say, in ten lines or fewer, what lives in them."""
    if source.is_init and source.package in PACKAGES:
        if not source.doc:
            yield f"{source.path}: say in a docstring what lives here, and what may not"
        elif source.doc.count("\n") >= INIT_LINES:
            yield f"{source.path}: its docstring is longer than {INIT_LINES} lines"


def missing_future_import(source: Source) -> Iterator[str]:
    """Find files whose annotations would be evaluated."""
    body = source.tree.body[1:] if source.doc else source.tree.body
    if body and not any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in body):
        yield f"{source.path}: add 'from __future__ import annotations'"


def unmirrored_tests(sources: tuple[Source, ...]) -> Iterator[str]:
    """Find rooms without tests, and folders of tests without a room."""
    rooms = {s.room for s in sources if s.package == "service_kit" and s.path.count("/") > 1}
    tested = {s.room for s in sources if s.package == "tests" and s.path.count("/") > 1}
    with_tests = {s.room for s in sources if re.fullmatch(r"tests/.*/test_\w+\.py", s.path)}
    for room in sorted(rooms - with_tests):
        yield f"service_kit/{room} has no tests; add tests/{room}/test_<subject>.py"
    for folder in sorted(tested - INWARD.keys() - TEST_FOLDERS.keys()):
        yield f"tests/{folder} mirrors no room; name it after the room that it tests"


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether it is declared to callers, for whom its parameters are an object already."""
    decorators = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return any(isinstance(d, ast.Name) and d.id == "command" for d in decorators)


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len([parameter for parameter in named if parameter.arg not in ("self", "cls")])
