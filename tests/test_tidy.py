"""The rules of this repository that a program can check, over every file; each is shown to be able to fail."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.tidy import arrows, shape, words
from tests.tidy.names import EXTRAS, PUBLIC
from tests.tidy.sources import ROOT, Source, project, shipped

ENTRY_POINTS = {
    "client_kit.mypy": 'plugins = ["client_kit.mypy"], in the settings of mypy',
    "service_kit.cli": "the service-kit command",
    "service_kit.deploy.tracing": "service_kit.deploy.source, in a new interpreter",
    "service_kit.hosts.aws.orchestrator": "Lambda, by the template: for the table's stream",
    "service_kit.hosts.aws.relay": "Lambda, by the template: for the table's stream",
    "service_kit.hosts.aws.subscriptions": "Lambda, by the template: for the queues of subscriptions",
    "service_kit.hosts.aws.sweeper": "Lambda, by the template: every minute",
    "service_kit.hosts.aws.tasks": "Lambda, by the template: for the queues of tasks",
    "service_kit.hosts.aws.timers": "Lambda, by the template: for the timer queue",
    "service_kit.testing.simulation.__main__": "python -m service_kit.testing.simulation",
}
"""Modules that are started from outside, with who starts them."""

OneFile = Callable[[Source], Iterator[str]]

EVERYWHERE: list[OneFile] = [
    arrows.imports_against_an_arrow,
    arrows.unknown_rooms,
    arrows.impure_engine,
    shape.long_files,
    shape.long_functions,
    shape.forbidden_names,
    shape.missing_room_doc,
    shape.missing_future_import,
    words.unexplained_ignores,
    words.unfinished_work,
    words.swallowed_failures,
    words.prints,
]


def _complaints(rule: OneFile) -> list[str]:
    return [complaint for source in project() for complaint in rule(source)]


@pytest.mark.parametrize("rule", EVERYWHERE, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: OneFile) -> None:
    assert not (found := _complaints(rule)), "\n".join(found)


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    assert not (found := list(arrows.import_cycles(shipped()))), "\n".join(found)


def test_every_module_is_used() -> None:
    assert not (found := list(arrows.dead_files(shipped(), set(ENTRY_POINTS)))), "\n".join(found)


def test_each_room_has_tests_and_each_folder_of_tests_a_room() -> None:
    assert not (found := list(shape.unmirrored_tests(project()))), "\n".join(found)


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_names_are_pinned(package: str) -> None:
    module = importlib.import_module(package)
    assert sorted(module.__all__) == sorted(set(PUBLIC[package]) - EXTRAS)
    for name in PUBLIC[package]:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("package", PUBLIC)
def test_type_checkers_and_the_interpreter_find_public_names_in_the_same_place(package: str) -> None:
    homes: dict[str, str] = importlib.import_module(package)._HOMES
    shown = {
        alias.name: node.module
        for block in ast.parse((ROOT / package / "__init__.py").read_text()).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert shown == homes


@pytest.mark.parametrize("package", PUBLIC)
def test_no_module_hides_a_public_name(package: str) -> None:
    # Importing a submodule binds its name in the package, over a name that is looked up when it is first used.
    modules = {path.stem for path in (ROOT / package).iterdir()}
    assert modules.isdisjoint(PUBLIC[package])


def test_a_contract_and_its_client_load_no_framework() -> None:
    program = """
import sys
from client_kit import connect
from service_kit import Service, command

@command
def add(a: int) -> int: ...

class Calculator(Service):
    add = add

connect(Calculator, "http://localhost")
print(sorted({"fastapi", "starlette", "uvicorn", "boto3", "botocore", "sqlite3", "yaml"} & sys.modules.keys()))
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


LONG = "\n" * 301
BAD = [
    (
        arrows.imports_against_an_arrow,
        "service_kit/http/x.py",
        "from service_kit.hosts.asgi import a",
        "'http' may",
    ),
    (
        arrows.imports_against_an_arrow,
        "service_kit/engine/x.py",
        "from ..contract import codec",
        "'engine' may",
    ),
    (arrows.imports_against_an_arrow, "service_kit/stores/x.py", "import service_kit.http", "'stores' may"),
    (
        arrows.imports_against_an_arrow,
        "service_kit/http/x.py",
        "from service_kit import Service",
        "name the room",
    ),
    (
        arrows.imports_against_an_arrow,
        "service_kit/http/x.py",
        "def f():\n  import client_kit",
        "are clients",
    ),
    (
        arrows.imports_against_an_arrow,
        "service_kit/engine/x.py",
        "import client_kit.executions",
        "are clients",
    ),
    (arrows.imports_against_an_arrow, "service_kit/http/x.py", "import tests.http", "not shipped"),
    (
        arrows.imports_against_an_arrow,
        "client_kit/x.py",
        "def f():\n  from service_kit.errors import E",
        "Protocol",
    ),
    (
        arrows.imports_against_an_arrow,
        "service_kit/contract/service.py",
        "class Service:\n  def asgi(self):\n    import service_kit.http",
        "'contract' may",
    ),
    (
        arrows.imports_against_an_arrow,
        "service_kit/contract/service.py",
        "import service_kit.hosts",
        "'contract' may",
    ),
    (arrows.unknown_rooms, "service_kit/rooms/x.py", "", "has no arrows"),
    (arrows.impure_engine, "service_kit/engine/x.py", "import time", "imports time"),
    (
        arrows.impure_engine,
        "service_kit/engine/x.py",
        "def f():\n  from os.path import join",
        "imports os.path.join",
    ),
    (arrows.impure_engine, "service_kit/engine/x.py", "open('x')", "calls open()"),
    (arrows.impure_engine, "service_kit/engine/x.py", "datetime.now()", "reads the wall clock"),
    (shape.long_files, "service_kit/x.py", LONG, "301 lines"),
    (shape.long_files, "service_kit/x.py", "'''One thing, though long: it is.'''" + "\n" * 501, "501 lines"),
    (shape.long_functions, "service_kit/x.py", "def f():\n" + "  1\n" * 70, "71 lines"),
    (shape.long_functions, "service_kit/x.py", "def f(a, b, c, d, *, e, f, g, h): ...", "8 parameters"),
    (shape.forbidden_names, "service_kit/http/utils.py", "", "'utils.py' says nothing"),
    (shape.forbidden_names, "client_kit/common/x.py", "", "'common' says nothing"),
    (shape.missing_room_doc, "service_kit/http/__init__.py", "", "say in a docstring"),
    (shape.missing_room_doc, "service_kit/http/__init__.py", "'''" + "a\n" * 11 + "'''", "longer than 10"),
    (shape.missing_future_import, "service_kit/x.py", "'''Doc.'''\nimport re", "add 'from __future__"),
    (words.unexplained_ignores, "service_kit/x.py", "a = 1  # type: ignore", "write #"),
    (words.unexplained_ignores, "service_kit/x.py", "a = 1  # type: ignore[misc]", "write #"),
    (words.unfinished_work, "service_kit/x.py", "a = 1  # TODO: more", "do it"),
    (words.swallowed_failures, "service_kit/x.py", "try: f()\nexcept Exception: pass", "swallows"),
    (words.swallowed_failures, "service_kit/x.py", "def f():\n  try: g()\n  except: return None", "swallows"),
    (
        words.swallowed_failures,
        "service_kit/x.py",
        "try: f()\nexcept (A, Exception): log.info('x')",
        "swallows",
    ),
    (words.swallowed_failures, "service_kit/x.py", "with contextlib.suppress(Exception): f()", "suppresses"),
    (words.prints, "client_kit/x.py", "print(1)", "prints"),
]
GOOD = [
    (arrows.imports_against_an_arrow, "service_kit/http/x.py", "from service_kit.contract.codec import a"),
    (
        arrows.imports_against_an_arrow,
        "service_kit/runtime/x.py",
        "from client_kit.executions import ExecutionInfo",
    ),
    (arrows.imports_against_an_arrow, "service_kit/http/x.py", "from .router import a\nimport pydantic"),
    (
        arrows.imports_against_an_arrow,
        "service_kit/contract/x.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  from client_kit import Connection",
    ),
    (
        arrows.imports_against_an_arrow,
        "service_kit/contract/service.py",
        "class Service:\n  def asgi(self):\n    from service_kit.hosts.asgi import a",
    ),
    (arrows.impure_engine, "service_kit/runtime/x.py", "import time"),
    (shape.long_files, "service_kit/x.py", f"'''One thing, though long: it is.'''{LONG}"),
    (shape.long_functions, "service_kit/x.py", "class A:\n  def f(self, a, b, c, d, e, f, g): ..."),
    (shape.long_functions, "plugins/x.py", "@command(path='/')\ndef f(a, b, c, d, e, f, g, h): ..."),
    (shape.missing_future_import, "service_kit/x/__init__.py", "'''Doc.'''"),
    (
        words.unexplained_ignores,
        "service_kit/x.py",
        "a = 1  # type: ignore[misc, arg-type]  # made at run time",
    ),
    (words.unexplained_ignores, "service_kit/x.py", "a = '# type: ignore'"),
    (
        words.swallowed_failures,
        "service_kit/x.py",
        "try: f()\nexcept Exception as e:\n  log.info('x')\n  raise",
    ),
    (words.swallowed_failures, "service_kit/x.py", "try: f()\nexcept KeyError: pass"),
    (words.prints, "service_kit/cli/x.py", "print(1)"),
]


@pytest.mark.parametrize(("rule", "path", "text", "complaint"), BAD)
def test_a_file_that_breaks_the_rule_is_found(rule: OneFile, path: str, text: str, complaint: str) -> None:
    found = list(rule(Source.parse(path, text)))
    assert len(found) == 1
    assert complaint in found[0]
    assert path in found[0]


@pytest.mark.parametrize(("rule", "path", "text"), GOOD)
def test_a_file_that_keeps_the_rule_is_left_alone(rule: OneFile, path: str, text: str) -> None:
    assert not list(rule(Source.parse(path, text)))


def _package(**files: str) -> tuple[Source, ...]:
    return tuple(
        Source.parse(f"service_kit/{name.replace('_', '/')}.py", text) for name, text in files.items()
    )


def test_a_circle_of_imports_is_found() -> None:
    circle = _package(
        http_a="from service_kit.http.b import x",
        http_b="from . import c",
        http_c="import service_kit.http.a",
    )
    lazy = _package(http_a="import service_kit.http.b", http_b="def f():\n  import service_kit.http.a")
    assert list(arrows.import_cycles(circle)) == [
        "service_kit.http.a -> service_kit.http.b -> service_kit.http.c -> service_kit.http.a"
    ]
    assert not list(arrows.import_cycles(lazy))


def test_a_dead_file_is_found() -> None:
    sources = _package(
        http_a="from service_kit.http.b import x", http_b="", http_c="import service_kit.http.c"
    )
    assert [c.partition(":")[0] for c in arrows.dead_files(sources, {"service_kit.http.a"})] == [
        "service_kit/http/c.py"
    ]


def test_a_room_without_tests_and_a_test_folder_without_a_room_are_found() -> None:
    sources = (
        *_package(http_a="", stores_b=""),
        Source.parse("tests/http/test_a.py", ""),
        Source.parse("tests/stores/memory.py", ""),
        Source.parse("tests/web/test_b.py", ""),
    )
    assert list(shape.unmirrored_tests(sources)) == [
        "service_kit/stores has no tests; add tests/stores/test_<subject>.py",
        "tests/web mirrors no room; name it after the room that it tests",
    ]
