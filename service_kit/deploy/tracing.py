"""Import a module, and write as JSON what that loaded: `tracing.py MODULE IGNORED...`, in the folder of the project.

A program, and not a function: only a new interpreter has imported nothing else.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.metadata import packages_distributions, version
from pathlib import Path


def places_of(files: dict[str, Path], root: Path) -> list[str]:
    """Return the packages and single modules, relative to the root, that these modules belong to.

    Of a regular package the topmost folder, of a namespace package the folder of the module itself.
    """
    found: set[Path] = set()
    for name, file in files.items():
        top = file.parent
        while (top.parent / "__init__.py").is_file() and top.parent != root:
            top = top.parent
        found.add(file if "." not in name and file.name != "__init__.py" else top)
    whole = {place for place in found if not found & set(place.parents)}
    return sorted(place.relative_to(root).as_posix() for place in whole)


def main(module: str, *ignored: str) -> None:
    """Import the module and report."""
    root = Path.cwd().resolve()
    before = set(sys.modules)
    import_module(module)
    loaded = {name: value for name, value in list(sys.modules.items()) if name not in before}
    own: dict[str, Path] = {}
    foreign: set[str] = set()
    for name, value in loaded.items():
        top = name.partition(".")[0]
        file = getattr(value, "__file__", None)
        if top in ignored or file is None:
            continue
        path = Path(file).resolve()
        if path.is_relative_to(root) and not path.is_relative_to(Path(sys.prefix).resolve()):
            own[name] = path
        else:
            foreign.add(top)
    known = packages_distributions()
    names = sorted({name for top in foreign for name in known.get(top, ())}, key=str.lower)
    found = {"places": places_of(own, root), "distributions": {name: version(name) for name in names}}
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    sys.path[:] = [place for place in sys.path if Path(place) != Path(__file__).parent]
    main(*sys.argv[1:])
