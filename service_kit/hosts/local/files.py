"""The SQLite file of a service: where it is unless somebody says, and whether it can be used at all."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from service_kit.stores.sqlite.database import Database

FOLDER = ".service-kit"
_IGNORE = "# What runs of the services here: state of this machine alone.\n*\n"


class FileUnavailable(Exception):
    """The file cannot be used; `cure` says what can be done."""

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__(f"{problem}; {cure}")
        self.problem = problem
        self.cure = cure


def default_file(service: str) -> Path:
    """Return the file of a service in the current directory; its folder is made, and kept from version control."""
    folder = Path.cwd() / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text(_IGNORE)
    except OSError as error:
        raise FileUnavailable(
            f"the folder {folder} cannot be made ({error.strerror})",
            "run where you may write, or name a file: --database orders.db",
        ) from error
    return folder / f"{service}.db"


def require_file(path: str | Path) -> None:
    """Raise FileUnavailable for what SQLite keeps in memory: each of our connections would have one of its own."""
    if str(path) in ("", ":memory:"):
        raise FileUnavailable(
            f"'{path}' is no file, and what runs durably needs one",
            "name a file; in tests TestEnvironment(Service) runs a service without a disk",
        )


def check_file(file: Path) -> None:
    """Make the file, or bring it to this version's schema; raise FileUnavailable."""
    require_file(file)
    if not file.parent.is_dir():
        raise FileUnavailable(f"there is no folder {file.parent} for {file.name}", "make it first")
    try:
        Database(file).close()
    except sqlite3.Error as error:
        raise FileUnavailable(
            f"{file} cannot be used as a database ({error})",
            "check its rights and that it is a SQLite file, or name another one (--database)",
        ) from error
    except RuntimeError as error:  # a newer version's file; the message says what to do
        raise FileUnavailable(f"{file} cannot be used", str(error)) from error
