"""What stands in a service's class body and means nothing there: found at import, instead of being ignored."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from service_kit.contract.declaration import Declaration
from service_kit.errors import DefinitionError


def check_body(at: str, body: Mapping[str, Any], options: Collection[str]) -> None:
    """Raise DefinitionError for an option, a private declaration or a plain function, and two signals of one name."""
    typed: dict[tuple[str, str], Any] = {}
    for name, value in body.items():
        kind: object = getattr(type(value), "kind", None)
        if kind in ("task", "subscription"):
            raise DefinitionError(
                f"{at}, {kind} '{name}'",
                "it is not public: its own process alone runs it",
                "take it out of the class: what stands in the same module, or in include=[...], belongs to the service",
            )
        if kind in ("signal", "state"):
            other = typed.setdefault((str(kind), value.name), value)
            if other is not value:
                raise DefinitionError(at, f"two {kind}s have the name '{value.name}'", "rename one")
        elif inspect.isfunction(value) and not name.startswith("_"):
            raise DefinitionError(
                f"{at}, '{name}'",
                "it is a plain function, which its clients would run themselves",
                "declare it outside of the class, by @command or @workflow, and name it there",
            )
        elif name in options and not isinstance(value, Declaration):
            raise DefinitionError(
                at,
                f"its option '{name}' stands in the body",
                f"write it as a keyword: class ...(Service, {name}={value!r})",
            )
