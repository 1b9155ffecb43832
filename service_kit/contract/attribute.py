"""Search attributes: typed facts of an execution, by which lists of executions are filtered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar, cast

from pydantic import ValidationError
from typing_extensions import TypeForm

from service_kit.contract.signal import Typed, context_of
from service_kit.errors import DefinitionError

if TYPE_CHECKING:
    from service_kit.engine.context import WorkflowContext

T = TypeVar("T")


class Attribute(Typed[T]):
    """What executions are found by: `region = Attribute("region", Region)`.

    A value is kept as text, as a list's filter compares it: text, numbers, dates, enumerations, but no objects.
    """

    kind = "attribute"

    def __init__(self, name: str, type_: TypeForm[T]) -> None:
        if not name or "=" in name:
            raise DefinitionError(
                f"attribute {name!r}", "lists ask for 'name=value'", "give it a name without '='"
            )
        super().__init__(name, type_)

    def of(self, value: T) -> dict[str, str]:
        """Return this value for a start or a filter: `attributes=region.of("eu") | tier.of(1)`."""
        return {self.name: self.encode(value)}

    def set(self, value: T) -> None:
        """Let the execution be found by this value from its next wait on, inside a workflow."""
        self._workflow().set_attribute(self.name, self.encode(value))

    def remove(self) -> None:
        """Let the execution not be found by this attribute any more, inside a workflow."""
        self._workflow().set_attribute(self.name, None)

    def get(self) -> T | None:
        """Return the execution's value, given at its start or set since, inside a workflow; None: it has none."""
        text: str | None = self._workflow().attributes.get(self.name)
        return None if text is None else self.decode(text)

    def encode(self, value: T) -> str:
        """Return the value as text; raise PydanticSerializationError for one of another type."""
        text = super().encode(value)
        plain = json.loads(text)
        if plain is None or isinstance(plain, dict | list):
            raise DefinitionError(
                f"attribute '{self.name}'",
                f"nothing can be found by {text:.80}",
                "give it a type whose values are text, numbers or dates, and 'remove()' it for none",
            )
        return plain if isinstance(plain, str) else text

    def decode(self, text: str) -> T:
        """Return the value from its text; raise pydantic's ValidationError."""
        try:
            return cast(T, self.adapter.validate_strings(text))
        except ValidationError:  # numbers of a Literal are no strings
            return cast(T, self.adapter.validate_json(text))

    def _workflow(self) -> WorkflowContext:
        return context_of(f"attribute '{self.name}'")
