"""What readers of classes have in common."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Protocol, get_type_hints

from service_kit.errors import DefinitionError
from service_kit.publishing.definitions import Ledger
from service_kit.publishing.expressions import Expression


class Reader(Protocol):
    """Reads the types that a class mentions."""

    ledger: Ledger

    def read(self, form: Any, module: str, where: str) -> Expression: ...

    def refer(self, cls: type) -> Expression: ...


def doc_of(cls: type) -> str:
    own = vars(cls).get("__doc__")
    # What dataclasses and named tuples write of themselves says nothing.
    return "" if not own or own.startswith(f"{cls.__name__}(") else inspect.cleandoc(own)


def hints_of(cls: Any, where: str) -> Mapping[str, Any]:
    try:
        return get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise DefinitionError(
            where, f"an annotation names '{error.name}', which is not defined at run time", "import it"
        ) from None


def own_annotations(cls: type) -> dict[str, Any]:
    return dict(inspect.get_annotations(cls))


def place_of(cls: type, name: str) -> str:
    return f"{cls.__name__}.{name}"
