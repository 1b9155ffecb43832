"""Which declared errors come back as their own classes: those that the code of a service can name."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from service_kit.contract.declaration import Declaration
from service_kit.errors import ServiceError


def declared_in(*namespaces: Mapping[str, Any]) -> dict[str, type[ServiceError]]:
    """Return the declared error classes among the values of namespaces, by `module:QualName`."""
    classes = [v for names in namespaces for v in names.values() if _is_declared(v)]
    return {f"{cls.__module__}:{cls.__qualname__}": cls for cls in classes}


def declared_for(namespace: Mapping[str, Any]) -> list[type[ServiceError]]:
    """Return the declared errors that come back to code of a namespace: `OutOfStock`, or `errors.OutOfStock`.

    As `find_declared`, this looks into the modules of its tasks and workflows, too, but into nothing beneath a package.
    """
    found: dict[type[ServiceError], None] = {}
    for value in _named([namespace]):
        members = vars(value) if isinstance(value, ModuleType) else {"": value}
        found |= dict.fromkeys(declared_in(members).values())
    return list(found)


def find_declared(
    type_: str, namespaces: Iterable[Mapping[str, Any]], *, imports: bool
) -> type[ServiceError] | None:
    """Return the class `module:QualName`, if code of these namespaces can name it: `except errors.OutOfStock`.

    Tasks and workflows that stand in them belong to that code. A class that merely happens to be loaded may not be so
    in another process, where a replay would catch something else; so with `imports` a module beneath a package that
    has a name there, as `shop` after `import shop.orders`, is imported if nobody has done so. Where the name comes from
    another program, it must not: whoever it is could have any module of these packages run.
    """
    module_name, _, name = type_.partition(":")
    named = list(_named(namespaces))
    is_led_to = any(isinstance(value, ModuleType) and _leads_to(value, module_name) for value in named)
    module = _imported(module_name) if imports and is_led_to else sys.modules.get(module_name)
    if module is None:
        return None
    first, *inner = name.split(".")
    found: Any = vars(module).get(first)
    for each in inner:
        found = getattr(found, each, None)
    return found if _is_declared(found) and (is_led_to or any(value is found for value in named)) else None


def _is_declared(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, ServiceError) and value is not ServiceError


def _named(namespaces: Iterable[Mapping[str, Any]]) -> Iterator[object]:
    """Yield all that has a name in namespaces, and in those of the tasks and workflows that stand there."""
    pending, seen = list(namespaces), set[int]()
    while pending:
        namespace = pending.pop()
        if id(namespace) in seen:
            continue
        seen.add(id(namespace))
        for value in list(namespace.values()):
            yield value
            if isinstance(value, Declaration):
                pending.append(value.function.__globals__)


def _leads_to(module: ModuleType, home: str) -> bool:
    """Tell whether a module is the home of a class, or a package that it lies in: `import shop.errors` binds `shop`."""
    return f"{home}.".startswith(f"{module.__name__}.")


def _imported(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None  # the code of today does not have it
