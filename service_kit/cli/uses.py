"""What a function names: globals, and members of modules and classes, through the user's own helper functions.

Read from bytecode, which says exactly what is looked up, and where; nothing is run.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

from service_kit.hosts.local.tracebacks import is_users

_ABSENT: Any = object()
_NOISE = frozenset({"CACHE", "EXTENDED_ARG", "PUSH_NULL", "NOP", "RESUME"})


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that is named."""

    name: str
    """As it is written: `datetime.now`."""
    value: Any
    owner: Any
    """The module or class that it was looked up in; None for a name of its own."""
    file: str
    line: int


def uses_of(function: Any) -> Iterator[Use]:
    """Yield what a function uses, and what the user's plain functions use that it names."""
    pending: list[Any] = [function]
    seen: set[CodeType] = set()
    while pending:
        current = pending.pop()
        if not isinstance(current, FunctionType) or current.__code__ in seen:
            continue
        seen.add(current.__code__)
        for use in _of_code(current.__code__, _names(current)):
            yield use
            if isinstance(use.value, FunctionType) and is_users(use.value.__code__.co_filename):
                pending.append(use.value)


def _names(function: FunctionType) -> dict[str, Any]:
    """Return what names mean in a function: its module's, and those of the functions around it."""
    found = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # it is not assigned yet
            continue
    return found


def _of_code(code: CodeType, names: dict[str, Any]) -> Iterator[Use]:
    line = code.co_firstlineno
    name, value, owner = "", _ABSENT, None
    for instruction in dis.get_instructions(code):
        if instruction.opname in _NOISE:
            continue
        positions = instruction.positions
        line = (positions and positions.lineno) or line
        if instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(value, ModuleType | type):
            owner, attribute = value, str(instruction.argval)
            name, value = f"{name}.{attribute}", _member(owner, attribute)
        elif instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
            name, owner = str(instruction.argval), None
            value = names.get(name, _ABSENT)
        else:
            value = _ABSENT
        if value is not _ABSENT:
            yield Use(name, value, owner, code.co_filename, line)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):  # a function or comprehension inside
            yield from _of_code(constant, names)


def _member(owner: Any, attribute: str) -> Any:
    """Return a member without running anything: as it is stored."""
    for place in (owner, *getattr(owner, "__mro__", ())):
        if attribute in vars(place):
            return vars(place)[attribute]
    return _ABSENT
