"""Which room may import which, and what the engine may not import at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tests.tidy.sources import PACKAGES, Import, Source, by_module, resolve

_KERNEL = {"errors", "engine", "contract", "runtime"}
_FACES = {"stores", "messaging", "openapi", "http"}

INWARD: Mapping[str, set[str]] = {
    "errors": set(),
    "engine": {"errors"},
    "contract": {"errors", "engine"},
    "runtime": {"errors", "engine", "contract"},
    "stores": _KERNEL,
    "messaging": _KERNEL,
    "openapi": _KERNEL,
    "http": _KERNEL | {"openapi"},  # it serves the documents that openapi makes
    "diff": _KERNEL | {"openapi"},  # it describes by the same generator what documents have no words for
    "hosts": _KERNEL | _FACES,
    "publishing": _KERNEL,
    "deploy": _KERNEL | _FACES | {"hosts"},
    "testing": _KERNEL | _FACES | {"hosts"},
    "dashboard": _KERNEL | _FACES | {"hosts"},
    "cli": _KERNEL | _FACES | {"hosts", "deploy", "publishing", "testing", "dashboard", "diff"},
}
"""Each room of service_kit, and the rooms that it may import."""

CALLERS = {"deploy", "testing", "dashboard", "cli"}
"""The rooms that may use client_kit: the outermost ones are clients."""

SHARED: Mapping[str, str] = {
    "client_kit.contracts.errors": "who calls catches what ended an execution by one name, at home and elsewhere",
    "client_kit.executions": "an execution as its callers see it, wherever it runs: one handle on both sides",
    "client_kit.ids": "who starts an execution makes its id, on either side in the same way",
}
"""Modules of client_kit that every room but the engine may use; the room of errors, the errors alone."""

OUTWARD: Mapping[tuple[str, str], str] = {
    ("Service.__init__", "client_kit"): "an instance of a service is its client",
    ("Service.asgi", "service_kit.hosts"): "the one public spelling of a service's HTTP face",
    ("Service.specification", "service_kit.openapi"): "the one public spelling of a service's document",
}
"""The only imports against an arrow: functions of contract/service.py, when they are called, with the reason."""

# fmt: off
IMPURE = {
    "time", "datetime", "zoneinfo", "random", "uuid", "secrets",
    "os", "io", "pathlib", "glob", "shutil", "tempfile", "platform", "locale", "getpass",
    "subprocess", "multiprocessing", "threading", "concurrent", "signal", "select", "selectors", "socket", "ssl",
    "http", "urllib", "ftplib", "smtplib", "httpx", "aiohttp", "requests", "fastapi", "starlette", "uvicorn",
    "sqlite3", "boto3", "botocore",
}
# fmt: on
"""Modules through which the world, a clock or chance could enter the engine."""

IMPURE_CALLS = {"open", "input", "print", "id", "eval", "exec", "__import__"}

ADMITTED: Mapping[tuple[str, str], str] = {
    ("service_kit/engine/collecting.py", "threading.RLock"): "the collector is one for all threads",
    ("service_kit/engine/context.py", "datetime.datetime"): "to show the loop's own time",
    ("service_kit/engine/context.py", "datetime.timezone"): "to show the loop's own time",
}
"""What the engine may import from an impure module all the same, by file and name, with the reason."""

CLOCKS = {"now", "utcnow", "today"}
"""Methods of `datetime` and `date` that read the wall clock."""


def imports_against_an_arrow(source: Source) -> Iterator[str]:
    """Find imports that point outward, or from one package into the other."""
    for found in source.imports():
        package, _, rest = found.target.partition(".")
        at = f"{source.path}:{found.line}"
        if source.package in PACKAGES and package in ("tests", "benchmarks", "plugins"):
            yield f"{at} imports {found.target}, which is not shipped; move what it needs into the package"
        elif source.package == "client_kit" and package == "service_kit":
            yield f"{at} imports {found.target}; the client reads a contract through a Protocol"
        elif source.package == "service_kit" and package in PACKAGES and not _admitted(source, found):
            room = rest.partition(".")[0]
            if package == "client_kit":
                if source.room not in CALLERS and not _is_shared(source, found):
                    yield f"{at} imports {found.target}; only {sorted(CALLERS)} are clients"
            elif room not in INWARD:
                yield f"{at} imports {found.target}; name the room it comes from"
            elif source.room and room != source.room and room not in INWARD.get(source.room, set()):
                yield f"{at} imports {found.target}; '{source.room}' may import {sorted(INWARD[source.room])}"


def unknown_rooms(source: Source) -> Iterator[str]:
    """Find rooms that the map does not have."""
    if source.package == "service_kit" and source.room and source.room not in INWARD:
        yield f"{source.path}: room '{source.room}' has no arrows; give it its place in tests/tidy/arrows.py"


def impure_engine(source: Source) -> Iterator[str]:
    """Find clocks, chance and the outside world in the engine."""
    if (source.package, source.room) != ("service_kit", "engine"):
        return
    for found in source.imports():
        if found.target.split(".")[0] in IMPURE and (source.path, found.target) not in ADMITTED:
            yield f"{source.path}:{found.line} imports {found.target}; hand its result in as an argument"
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield f"{source.path}:{node.lineno} calls {name}(); the engine is pure"
            case ast.Attribute(value=ast.Name(id="datetime" | "date"), attr=name) if name in CLOCKS:
                yield f"{source.path}:{node.lineno} reads the wall clock; the engine knows its loop's time alone"


def import_cycles(sources: tuple[Source, ...]) -> Iterator[str]:
    """Find modules that cannot be imported without each other."""
    modules = by_module(sources)
    graph = {source.module: _loads(source, modules) for source in sources}
    done: set[str] = set()
    for start in sorted(graph):
        yield from _circles(start, graph, [], done)


def dead_files(sources: tuple[Source, ...], entry_points: set[str]) -> Iterator[str]:
    """Find modules of the packages that no other module imports and that nobody starts."""
    modules = by_module(sources)
    alive = set(entry_points)
    for source in sources:
        for found in source.all_imports():
            target = resolve(found.target, modules)
            if target and target != source.module:
                alive.add(target)
    for source in sources:
        if not source.is_init and source.module not in alive:
            yield f"{source.path}: nothing imports it; delete it, or name it in ENTRY_POINTS with the reason"


def _admitted(source: Source, found: Import) -> bool:
    """Tell whether this is one of the few lazy imports that may point outward."""
    return source.path == "service_kit/contract/service.py" and any(
        found.function == function and f"{found.target}.".startswith(f"{prefix}.")
        for function, prefix in OUTWARD
    )


def _is_shared(source: Source, found: Import) -> bool:
    modules = {"engine": (), "errors": ("client_kit.contracts.errors",)}.get(source.room, tuple(SHARED))
    return any(f"{found.target}.".startswith(f"{module}.") for module in modules)


def _loads(source: Source, modules: Mapping[str, Source]) -> list[str]:
    loaded = {resolve(found.target, modules) for found in source.imports() if not found.function}
    return sorted(name for name in loaded if name and name != source.module)


def _circles(module: str, graph: Mapping[str, list[str]], path: list[str], done: set[str]) -> Iterator[str]:
    if module in path:
        yield " -> ".join([*path[path.index(module) :], module])
    elif module not in done:
        for target in graph[module]:
            yield from _circles(target, graph, [*path, module], done)
        done.add(module)
