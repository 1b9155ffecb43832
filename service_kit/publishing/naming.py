"""Names of the published definitions, and the order in which they stand."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence

from service_kit.publishing.definitions import Class, Definition, Published, mentioned


def settle_names(published: Published) -> dict[str, str]:
    """Return the name of every definition by its key; those of one name get as much of their modules as it takes."""
    by_name: dict[str, list[str]] = {}
    for key, definition in published.definitions.items():
        by_name.setdefault(definition.name, []).append(key)
    members = {line.name for d in published.definitions.values() if isinstance(d, Class) for line in d.lines}
    constants = set[str]() if published.url is None else {"URL"}
    taken = (
        {published.service.name} | constants | {method.name for method in published.service.methods} | members
    )
    names: dict[str, str] = {}
    for name, keys in by_name.items():
        clashes = len(keys) > 1 or name == published.service.name
        origins = [published.definitions[key].origin for key in keys]
        for key, origin in zip(keys, origins, strict=True):
            wanted = f"{_prefix(origin, origins)}{name}" if clashes else name
            names[key] = free = free_name(wanted, taken)
            taken.add(free)
    return names


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """Return the name, with as many underscores as it takes to be one of its own."""
    used = set(taken)
    while wanted in used or keyword.iskeyword(wanted):
        wanted += "_"
    return wanted


def in_order(definitions: Mapping[str, Definition]) -> list[str]:
    """Return keys so that each stands after what it needs, and else after what it mentions, where that is possible."""
    liked: list[str] = []
    _visit(list(definitions), {k: _mentioned(d) for k, d in definitions.items()}, liked)
    ordered: list[str] = []
    needs = {k: [n for n in d.needed_at_once() if n in definitions] for k, d in definitions.items()}
    _visit(liked, needs, ordered)
    return ordered


def pascal(text: str) -> str:
    """Return `line_item` or `line-item` as `LineItem`; what is written so already stays."""
    parts = re.split(r"[^A-Za-z0-9]+", text)
    return "".join(part[:1].upper() + part[1:] for part in parts)


def _visit(keys: Sequence[str], edges: Mapping[str, Sequence[str]], done: list[str]) -> None:
    """Append keys depth first, what they lead to before them; without recursion, as models may be many."""
    seen: set[str] = set()
    for root in keys:
        pending: list[tuple[str, bool]] = [(root, False)]
        while pending:
            key, left = pending.pop()
            if left:
                done.append(key)
            elif key not in seen:
                seen.add(key)
                pending.append((key, True))
                pending += [(n, False) for n in reversed(edges[key]) if n in edges and n not in seen]


def _mentioned(definition: Definition) -> list[str]:
    return list(dict.fromkeys(key for one in definition.expressions() for key in mentioned(one)))


def _prefix(origin: str, origins: Sequence[str]) -> str:
    """Return the last parts of a module's name that tell it from the others, as the start of a class name."""
    parts = origin.split(".")
    for depth in range(1, len(parts) + 1):
        tails = [other.split(".")[-depth:] for other in origins]
        if tails.count(parts[-depth:]) == 1:
            return pascal("_".join(parts[-depth:]))
    return pascal("_".join(parts))
