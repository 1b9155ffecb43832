"""The folder of code that `sam build` turns into a function: the service, this package, and their requirements."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from service_kit.contract.security import Jwt
from service_kit.contract.service import AsgiMiddleware, ServiceContract
from service_kit.deploy.deployment import Deployment

OWN_PACKAGES = ("service_kit", "client_kit")
LEFT_OUT = ("service_kit/cli", "service_kit/dashboard", "service_kit/testing")
"""Rooms that no function needs."""

BASE = ("pydantic", "httpx", "typing_extensions")
"""What this package itself requires."""

OF_THE_RUNTIME = frozenset({"boto3", "botocore", "s3transfer", "jmespath"})
"""What Lambda's Python has anyway; whoever needs another version names it in his own requirements."""

MARK = ".written-by-service-kit"
"""The file that says of a folder that it may be written anew: a project's own sources are often in `src`, too."""

_TRACE = Path(__file__).with_name("tracing.py")
_IGNORED = shutil.ignore_patterns("__pycache__", "*.py[co]", ".*", "*.db", "*.db-wal", "*.db-shm")


class SourceUnavailable(Exception):
    """The code of a service cannot be put together; `details` is what the interpreter said."""

    def __init__(self, problem: str, details: str) -> None:
        super().__init__(problem)
        self.details = details


class FolderTaken(Exception):
    """The folder holds something else, which must not be overwritten."""


@dataclass(frozen=True, slots=True)
class Imports:
    """What a service imports, found by importing it in a process of its own."""

    places: tuple[str, ...]
    """Folders and files of the project, relative to its root: whole packages, and modules that are in none."""
    distributions: dict[str, str]
    """Installed distributions by name, with their versions."""


def trace(module: str, root: Path) -> Imports:
    """Import a module as a function would, and return what it took; raise SourceUnavailable."""
    ran = subprocess.run(  # noqa: S603 - no shell, and the arguments are ours
        [sys.executable, str(_TRACE), module, *OWN_PACKAGES],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *_where_we_are()])},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise SourceUnavailable(f"module '{module}' cannot be imported from {root}", ran.stderr)
    # The last line: a module may print when it is imported.
    found = json.loads(ran.stdout.splitlines()[-1])
    return Imports(tuple(found["places"]), found["distributions"])


def write_source(
    deployment: Deployment, root: Path, folder: Path, requirements: Path | None = None
) -> Imports:
    """Write the folder anew; `root` is where the service is imported from.

    The distributions that the service imports are required at the versions that are installed here, or as
    `requirements` says, if it is given. Raises FolderTaken for a folder that was not written here before.
    """
    contract = deployment.contract
    if folder.exists() and not (folder / MARK).is_file():
        raise FolderTaken(f"{folder} is there already, and service-kit has not written it")
    imports = trace(deployment.service.__module__, root)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    for place in imports.places:
        _copy(root / place, folder / place)
    for package, home in zip(OWN_PACKAGES, _where_we_are(), strict=True):
        _copy(Path(home, package), folder / package)
    for room in LEFT_OUT:
        shutil.rmtree(folder / room, ignore_errors=True)
    if requirements is None:
        found = imports.distributions.items()
        wanted = [f"{name}=={number}" for name, number in found if name not in OF_THE_RUNTIME]
    else:
        wanted = requirements.read_text(encoding="utf-8").splitlines()
    named = {_normal(line) for line in wanted}
    wanted += [line for line in _own(contract, mcp=deployment.options.mcp) if _normal(line) not in named]
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in wanted), encoding="utf-8")
    return imports


def _own(contract: ServiceContract, *, mcp: bool) -> Iterator[str]:
    """Return the requirements of this package, for such a service."""
    names = [*BASE, "pyyaml", *(["mcp"] if mcp else [])]
    if contract.routes:
        names.append("fastapi")
    if contract.routes or any(isinstance(layer, AsgiMiddleware) for layer in contract.use):
        names.append("mangum")
    if any(isinstance(scheme, Jwt) for scheme in (*contract.schemes.values(), *contract.management)):
        names += ["pyjwt", "cryptography"]
    for name in names:
        try:
            yield f"{name}=={version(name)}"
        except PackageNotFoundError:
            yield name


def _normal(line: str) -> str:
    """Return the name that a line of requirements begins with, as indexes compare names (PEP 503)."""
    name = re.match(r"[A-Za-z0-9._-]*", line.strip())
    return re.sub(r"[-_.]+", "-", name[0] if name else "").lower()


def _where_we_are() -> list[str]:
    """Return the folders that our packages are imported from."""
    homes = list[str]()
    for package in OWN_PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        homes.append(str(Path(spec.origin).parent.parent))
    return homes


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=_IGNORED, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
