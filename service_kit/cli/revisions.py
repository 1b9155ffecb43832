"""Revisions of git: a file as it was, or the whole tree, checked out beside the present one for a moment."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from service_kit.cli.failures import Unusable

_OF_A_HOOK = frozenset({"GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX"})
"""What git tells hooks of their own tree: another one that is checked out would be written into its index."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A revision's tree in a temporary folder."""

    top: Path
    """Of the present tree."""
    tree: Path
    """The same, as it was then."""

    def then(self, path: str) -> str:
        """Return what a path of the present tree is in that of then, if it was there; another path as it is."""
        resolved = Path(path).resolve()
        if not resolved.is_relative_to(self.top):
            return path
        counterpart = self.tree / resolved.relative_to(self.top)
        return str(counterpart) if counterpart.is_dir() else path


@contextlib.contextmanager
def checked_out(revision: str) -> Generator[Checkout]:
    """Check a revision out, and take the tree away again; raise Unusable if there is none."""
    commit = _commit(revision)
    top = Path(_git("rev-parse", "--show-toplevel").decode().strip()).resolve()
    with tempfile.TemporaryDirectory(prefix="service-kit-") as folder:
        tree = Path(folder).resolve() / "tree"
        # Hooks are for those who work in a tree; this one is only read.
        _git(
            "-c", f"core.hooksPath={os.devnull}", "worktree", "add", "--quiet", "--detach", str(tree), commit
        )
        try:
            yield Checkout(top, tree)
        finally:
            _git("worktree", "remove", "--force", str(tree))


def shown(revision: str, place: str) -> bytes:
    """Return a file, named from the current folder, as it was; raise Unusable if it was not there."""
    path = Path(place).as_posix()
    return _git("show", f"{_commit(revision)}:./{path}", cure=f"there is no {place} at '{revision}'")


def _commit(revision: str) -> str:
    if revision.startswith("-"):
        raise Unusable(f"'{revision}' is no revision", "name a branch, a tag or a commit")
    cure = "name a branch, a tag or a commit; a module of this name would be written without it"
    return (
        _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", cure=cure, what=revision)
        .decode()
        .strip()
    )


def _git(*arguments: str, cure: str = "", what: str = "") -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - the user's git
            ["git", *arguments],  # noqa: S607
            env={name: value for name, value in os.environ.items() if name not in _OF_A_HOOK},
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise Unusable("git is not installed", "install it, or name a file or a module") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        problem = f"'{what}' is no revision of this repository" if what and not said else f"git: {said}"
        raise Unusable(problem, cure)
    return done.stdout
