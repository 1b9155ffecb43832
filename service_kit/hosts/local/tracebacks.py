"""Tracebacks that show the user's own lines, and of everybody else's only how many there were."""

from __future__ import annotations

import importlib.util
import sysconfig
import traceback
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

_FRAMEWORKS = ("service_kit", "client_kit")


def format_failure(error: BaseException) -> str:
    """Return the traceback with the lines of libraries counted instead of shown, causes included.

    An error in which no line is the user's keeps all of them.
    """
    shown = traceback.TracebackException.from_exception(error)
    _shorten(shown, set())
    return "".join(shown.format())


def user_line(error: BaseException) -> str | None:
    """Return `path:line` of the innermost line that is the user's."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if is_users(f.filename)]
    return f"{shortened(frames[-1].filename)}:{frames[-1].lineno}" if frames else None


def is_users(filename: str) -> bool:
    """Tell a user's file from the standard library, installed packages and this framework."""
    if filename.startswith("<"):
        return False
    path = Path(filename)
    return _installed_as(path) is None and not any(path.is_relative_to(f) for f in _LIBRARIES)


def _library_folders() -> Iterator[Path]:
    for kind in ("stdlib", "platstdlib"):
        yield Path(sysconfig.get_path(kind))
    for name in _FRAMEWORKS:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin).parent


_LIBRARIES = tuple(_library_folders())


def _shorten(shown: traceback.TracebackException | None, seen: set[int]) -> None:
    if shown is None or id(shown) in seen:
        return
    seen.add(id(shown))
    of_syntax = getattr(shown, "filename", None)  # it says itself where the mistake is
    if of_syntax is not None or any(is_users(frame.filename) for frame in shown.stack):
        shown.stack = _UserLines(shown.stack)
    for other in (shown.__cause__, shown.__context__, *(getattr(shown, "exceptions", None) or ())):
        _shorten(other, seen)


class _UserLines(traceback.StackSummary):
    def format(self, **kwargs: Any) -> list[str]:
        lines: list[str] = []
        for users, run in groupby(self, key=lambda frame: is_users(frame.filename)):
            frames = list(run)
            if users:
                lines += traceback.StackSummary.from_list(frames).format(**kwargs)
            else:
                where = ", ".join(dict.fromkeys(_owner(f.filename) for f in frames))
                lines.append(f"  ... {len(frames)} more in {where}\n")
        return lines


def _owner(filename: str) -> str:
    path = Path(filename)
    framework = next((n for n in _FRAMEWORKS if n in path.parts), None)
    return _installed_as(path) or framework or "Python"


def _installed_as(path: Path) -> str | None:
    """Return the name under which a package was installed, if the file is of one."""
    for folder in ("site-packages", "dist-packages"):
        if folder in path.parts[:-1]:
            return path.parts[path.parts.index(folder) + 1].removesuffix(".py")
    return None


def shortened(filename: str) -> str:
    """Return a file's path as it is seen from the current directory."""
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename
