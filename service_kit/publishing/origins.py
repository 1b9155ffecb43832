"""What a published package may import, and under which names."""

from __future__ import annotations

import sys

from service_kit.publishing.expressions import Imported, builtin

CARRIED = frozenset({"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "client_kit"})
"""Beside the standard library: what comes with `client_kit`."""

WORDS = {
    "service_kit.contract.event": {"Event"},
    "service_kit.contract.parameters": {"Header", "Query"},
    "service_kit.errors": {"ServiceError", "ExecutionNotFound", "ExecutionExists"},
    "service_kit.contract.signal": {"Signal", "State"},
}
"""Classes of the framework for which `client_kit.contracts` has one of the same name."""


def is_carried(module: str) -> bool:
    """Tell whether a published package may import a module."""
    root = module.partition(".")[0]
    return root in CARRIED or (root in sys.stdlib_module_names and root != "__main__")


def imported(cls: type) -> Imported | None:
    """Return the public name of a class that may be imported; None for one that is published itself, or cannot be."""
    module, name = cls.__module__, cls.__qualname__
    if name in WORDS.get(module, ()):
        return Imported("client_kit.contracts", name)
    if module == "builtins":
        return builtin(name)
    if not is_carried(module) or "." in name:
        return None
    return Imported(public_module(module, name, cls), name)


def public_module(module: str, name: str, value: object) -> str:
    """Return the shortest module, of those around one, that has the value under this name."""
    parts = module.split(".")
    for end in range(1, len(parts)):
        candidate = ".".join(parts[:end])
        if getattr(sys.modules.get(candidate), name, None) is value:
            return candidate
    return module
