"""The code that a function is made of: the folder that a deployment builds from, and what its requirements install.

Every function of a deployment has the same. The distributions that are installed here are added up, as files and as
the archive that is uploaded, without bytecode and programs: `sam build` leaves the first out, and no function runs the
second. What Lambda's Python brings along (boto3) is in nobody's.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

from benchmarks.child import ROOT
from benchmarks.measurement import Series
from plugins.orders.service import Orders
from plugins.todo.service import Todos
from service_kit import Service
from service_kit.deploy import Deployment, DeploymentOptions
from service_kit.deploy.source import OF_THE_RUNTIME, write_source

PEERS = {
    "FastAPI + Mangum": ["fastapi", "mangum"],
    "Powertools": ["aws-lambda-powertools", "pydantic"],
    "Chalice": ["chalice"],
    "models alone, bare pydantic (floor)": ["pydantic"],
}
MB = 1024 * 1024


def sizes() -> list[Series]:
    """Return the size of each package, as files and as an archive."""
    files, archives = list[Series](), list[Series]()
    for label, contents in _packages():
        size = sum(len(content) for _, content in contents)
        files.append(Series("package", label, "MB", [size / MB]))
        archives.append(Series("package, zipped", label, "MB", [_zipped(contents) / MB]))
    return files + archives


def _packages() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Yield labels, and the files with their names."""
    ours: list[tuple[str, type[Service], bool]] = [
        ("service_kit, plugins/todo without MCP", Todos, False),
        ("service_kit, plugins/orders", Orders, True),
    ]
    for label, service, mcp in ours:
        with TemporaryDirectory() as folder:
            source = Path(folder, "src")
            write_source(Deployment(service, DeploymentOptions(mcp=mcp)), ROOT, source)
            own = [path for path in source.rglob("*") if path.is_file()]
            named = [(str(path.relative_to(source)), path.read_bytes()) for path in own]
            wanted = (source / "requirements.txt").read_text(encoding="utf-8").split()
            yield label, named + _installed(wanted)
    for label, wanted in PEERS.items():
        try:
            yield label, _installed(wanted)
        except PackageNotFoundError:
            continue  # `present` has said so of its handler


def _installed(wanted: Iterable[str]) -> list[tuple[str, bytes]]:
    """Return the files that these requirements install, theirs included."""
    found: dict[str, Distribution] = {}
    open_ = [Requirement(line) for line in wanted]
    seen: set[tuple[str, frozenset[str]]] = set()
    while open_:
        one = open_.pop()
        key = one.name.lower().replace("_", "-"), frozenset(one.extras)
        if key in seen or key[0] in OF_THE_RUNTIME:
            continue
        seen.add(key)
        found[key[0]] = distribution(one.name)
        open_ += _needs(found[key[0]], sorted(one.extras))
    return [(name, path.read_bytes()) for one in found.values() for name, path in _files(one)]


def _needs(one: Distribution, extras: Sequence[str]) -> Iterator[Requirement]:
    for line in one.requires or ():
        need = Requirement(line)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield need


def _files(one: Distribution) -> Iterator[tuple[str, Path]]:
    for file in one.files or ():
        path = Path(str(one.locate_file(file)))
        if ".." not in file.parts and path.suffix != ".pyc" and path.is_file():
            yield str(file), path


def _zipped(contents: Sequence[tuple[str, bytes]]) -> int:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        for name, content in contents:
            writing.writestr(name, content)
    return len(archive.getvalue())
