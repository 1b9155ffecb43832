"""A published package on disk: written, or compared with what would be written."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from service_kit.publishing.package import DOCS, MARK

_OURS = {"__init__.py", "py.typed", *(f"{place}.py" for place in DOCS)}


class NotOurs(ValueError):
    """A folder that holds something else than a published contract: nothing is written over it."""


def write_folder(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write the files and delete those that the contract no longer has; return the names of what changed.

    Raises NotOurs, and OSError where the folder cannot be written.
    """
    _check(folder)
    folder.mkdir(parents=True, exist_ok=True)
    changed: list[str] = []
    for name, text in files.items():
        path = folder / name
        if _read(path) != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(name)
    for name in sorted(_OURS - files.keys()):
        if (folder / name).is_file():
            (folder / name).unlink()
            changed.append(name)
    return changed


def differences(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a unified diff from what the folder holds to what would be written."""
    for name in sorted(_OURS | files.keys()):
        old, new = _read(folder / name), files.get(name)
        if old == new:
            continue
        path = (folder / name).as_posix()
        yield from difflib.unified_diff(
            (old or "").splitlines(),
            (new or "").splitlines(),
            "/dev/null" if old is None else path,
            "/dev/null" if new is None else path,
            lineterm="",
        )
        if not (old or "") + (new or ""):
            yield f"{path} is {'missing' if old is None else 'no longer part of the contract'}"


def _check(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise NotOurs("it is a file")
    face = _read(folder / "__init__.py")
    if face is None and folder.is_dir() and any(folder.iterdir()):
        raise NotOurs("it holds other files")
    if face is not None and MARK not in face:
        raise NotOurs("its __init__.py was not written by this command")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
