"""One difference between two schemas, before anybody asks whom it breaks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from service_kit.diff.document import canonical
from service_kit.diff.rules import SCHEMA_RULES


@dataclass(frozen=True, slots=True)
class Difference:
    """What is different at a place of a schema; `old` and `new` are as a sentence shows them."""

    rule: str
    place: tuple[str, ...] = ()
    old: str = ""
    new: str = ""

    @property
    def narrows(self) -> bool:
        """Whether a value that the old schema admitted may be refused by the new one."""
        return SCHEMA_RULES[self.rule].narrows

    @property
    def widens(self) -> bool:
        """Whether the new schema may admit a value that the old one refused."""
        return SCHEMA_RULES[self.rule].widens

    def below(self, *steps: str) -> Difference:
        """Return it as seen from further outside."""
        return replace(self, place=(*steps, *self.place))


def shown(value: Any) -> str:
    """Return a JSON value as sentences show it."""
    text = canonical(value)
    return f"`{text}`" if len(text) <= 60 else f"`{text[:57]}...`"


def listed(values: list[Any]) -> str:
    """Return JSON values as a list in a sentence."""
    told = [shown(value) for value in values[:8]]
    more = len(values) - len(told)
    if more:
        return f"{', '.join(told)} or {more} more"
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} or {told[-1]}"
