"""Published packages, written and imported by tests."""

from __future__ import annotations

import importlib
import itertools
import sys
from pathlib import Path
from types import ModuleType

from service_kit.publishing.definitions import Published
from service_kit.publishing.folder import write_folder
from service_kit.publishing.package import write_package

_NUMBERS = itertools.count()


def imported(published: Published, folder: Path) -> ModuleType:
    """Return a contract as the package that another team would import."""
    name = f"contract_{next(_NUMBERS)}"
    write_folder(folder / name, write_package(published))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


def text_of(published: Published, file: str) -> str:
    return write_package(published)[file]
