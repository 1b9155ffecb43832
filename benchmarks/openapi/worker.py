"""Define 200 commands and specify them, once: `python -m benchmarks.openapi.worker <target> <folder>`.

The target is a `Generator`. Whatever it imports itself, the framework above all, is not on the clock.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from benchmarks.child import tell
from benchmarks.contender import load
from benchmarks.openapi.source import COUNT


@dataclass(frozen=True, slots=True)
class Generator:
    """How one framework specifies what a module defines."""

    module: str
    """One of those that `source` writes."""
    generate: Callable[[ModuleType], bytes]
    """Return the JSON document as it is served."""


def main(target: str, folder: str) -> None:
    """Print how long the definition and the generation took, in milliseconds of processor time."""
    generator: Generator = load(target)
    sys.path.insert(0, folder)
    begin = time.process_time()
    module = import_module(generator.module)
    defined = time.process_time()
    document = generator.generate(module)
    end = time.process_time()
    _check(target, document)
    tell({"generation": (end - defined) * 1000, "with definition": (end - begin) * 1000})


def _check(target: str, document: bytes) -> None:
    """Raise RuntimeError unless every command is there with its body, its answer and its models."""
    specification = json.loads(document)
    schemas = specification["components"]["schemas"]
    for i in range(COUNT):
        operation = specification["paths"][f"/command-{i}"]["post"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        found = [schema.get("$ref", "").rpartition("/")[2] for schema in (body, answer)]
        if found != [f"Request{i}", f"Answer{i}"] or not set(found) <= schemas.keys():
            raise RuntimeError(f"{target}: command {i} is specified with {found}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
