"""Names of components: which definitions are one and the same, and what each is called.

Pydantic defines a type once for input and once for output, and tells types of one name apart by their modules.
Two definitions are one component here if they say the same, what they refer to included: this is the coarsest
partition, found by splitting groups until they are stable (Hopcroft's and Moore's way of minimizing automata),
so that a recursive type has one name, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

_MARK = re.compile("\ue000([0-9]+)\ue001")
"""Private-use characters: no description happens to have one of these."""
_FACES = {"validation": "Input", "serialization": "Output"}


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition, before it has a name."""

    mark: str
    origin: str
    """Pydantic's reference to the type: `shop.Page:94[shop.Order:95]`, dotted names with ids."""
    mode: str
    text: str
    """Its schema as JSON, in which marks stand for names."""

    @property
    def path(self) -> str:
        return re.sub(r":[0-9]+", "", self.origin).replace("<locals>.", "")


def mark_of(number: int) -> str:
    return f"\ue000{number}\ue001"


def write(value: Any) -> str:
    return to_json(value, inf_nan_mode="null").decode()


def parse(text: str) -> Any:
    return json.loads(text)


def rename(text: str, names: Mapping[str, str]) -> str:
    """Return the text with names for marks."""
    return _MARK.sub(lambda found: names.get(found.group(), found.group()), text)


def name_definitions(definitions: Sequence[Definition]) -> dict[str, str]:
    """Return the name of every mark; equal definitions of one short name share theirs."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    by_short: dict[str, list[list[Definition]]] = {}
    for group in _partition(definitions):
        by_short.setdefault(_label(group[0].path, 1), []).append(group)
    for groups in by_short.values():
        for group, name in zip(groups, _tell_apart(groups), strict=True):
            free = unique_name(name, taken)
            taken.add(free)
            names.update({d.mark: free for d in group})
    return names


def _partition(definitions: Sequence[Definition]) -> list[list[Definition]]:
    """Group what is one component, starting with one group for each short name."""
    groups = list(_split(definitions, {d.mark: _label(d.path, 1) for d in definitions}))
    while True:
        marks = {d.mark: mark_of(at) for at, group in enumerate(groups) for d in group}
        finer: list[list[Definition]] = []
        for group in groups:
            if len(group) == 1:
                finer.append(group)
            else:
                finer += _split(group, {d.mark: rename(d.text, marks) for d in group})
        if len(finer) == len(groups):
            return groups
        groups = finer


def _split(definitions: Sequence[Definition], keys: Mapping[str, str]) -> Iterator[list[Definition]]:
    found: dict[str, list[Definition]] = {}
    for definition in definitions:
        found.setdefault(keys[definition.mark], []).append(definition)
    yield from found.values()


def _tell_apart(groups: Sequence[list[Definition]]) -> list[str]:
    """Return a name per group: the short one, with as much of the module, and the mode, as it takes."""
    paths = list(dict.fromkeys(group[0].path for group in groups))
    depth = 1
    while (
        len({_label(path, depth) for path in paths}) < len(paths)
        and depth < max(p.count(".") for p in paths) + 1
    ):
        depth += 1
    modes = {path: {group[0].mode for group in groups if group[0].path == path} for path in paths}
    firsts = [group[0] for group in groups]
    return [
        f"{_label(d.path, depth)}-{_FACES[d.mode]}" if len(modes[d.path]) > 1 else _label(d.path, depth)
        for d in firsts
    ]


def _label(path: str, depth: int) -> str:
    """Return the last `depth` parts of every dotted name in `shop.Page[shop.Order]`, as a legal component name."""
    last = re.sub(r"[^\[\],]+", lambda dotted: "_".join(dotted.group().split(".")[-depth:]), path)
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last).rstrip("_") or "Model"


def unique_name(name: str, taken: Container[str]) -> str:
    """Return a legal component name close to `name` that is not taken."""
    legal = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    candidate, number = legal, 2
    while candidate in taken:
        candidate, number = f"{legal}_{number}", number + 1
    return candidate
