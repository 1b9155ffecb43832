"""Contenders: who takes part in a measurement, and whether they can."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any


@dataclass(frozen=True, slots=True)
class Contender:
    """One participant: a label for the table and the object that its process loads."""

    label: str
    target: str
    """`module:attribute`; what it must be is said by the area."""
    needs: tuple[str, ...] = ()
    """Distributions without which it is left out."""
    program: str = ""
    """A program on PATH without which it is left out, too."""


def load(target: str) -> Any:
    """Return the object that `module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def installed_version(distribution: str) -> str | None:
    """Return the version of a distribution, or None if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def present(contenders: Sequence[Contender], say: Callable[[str], None]) -> list[Contender]:
    """Return the contenders whose distributions are installed; say which are left out, and the cure."""
    kept: list[Contender] = []
    for contender in contenders:
        missing = [name for name in contender.needs if installed_version(name) is None]
        if contender.program and shutil.which(contender.program) is None:
            say(f"left out: {contender.label} needs the program '{contender.program}' on PATH")
        elif missing:
            say(f"left out: {contender.label} needs {', '.join(missing)}; pip install -e '.[bench]'")
        else:
            kept.append(contender)
    return kept
