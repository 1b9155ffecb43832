"""Content filters of subscriptions: the part of EventBridge's event patterns that this project supports.

Source: Amazon EventBridge User Guide, "Event pattern comparison operators". A pattern is an object with the
fields of the event; a field's value is a list of alternatives, or a pattern for a nested object.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from service_kit.errors import DefinitionError

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
_ABSENT: Any = object()
_OPERATORS = ("prefix", "suffix", "anything-but", "numeric", "exists", "equals-ignore-case")


def check_filter(where: str, pattern: Any) -> None:
    """Raise DefinitionError for what is no pattern."""
    if not isinstance(pattern, Mapping) or not pattern:
        raise DefinitionError(where, f"match is {pattern!r}", "give an object of fields and alternatives")
    for field, alternatives in pattern.items():
        if isinstance(alternatives, Mapping):
            check_filter(where, alternatives)
        elif not isinstance(alternatives, list) or not alternatives:
            raise DefinitionError(
                where,
                f"match['{field}'] is {alternatives!r}",
                "give a list of alternatives, such as ['placed']",
            )
        else:
            for alternative in alternatives:
                _check_alternative(where, field, alternative)


def _check_alternative(where: str, field: str, alternative: Any) -> None:
    if not isinstance(alternative, Mapping):
        return
    if len(alternative) != 1 or next(iter(alternative)) not in _OPERATORS:
        raise DefinitionError(
            where,
            f"match['{field}'] has {dict(alternative)!r}",
            f"use one operator of {', '.join(_OPERATORS)}",
        )
    ((name, operand),) = alternative.items()
    if name == "numeric" and not _is_range(operand):
        raise DefinitionError(
            where, f"match['{field}'] compares by {operand!r}", "write ['>', 0] or ['>=', 0, '<', 10]"
        )


def _is_range(operand: Any) -> bool:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        return False
    pairs = zip(operand[::2], operand[1::2], strict=True)
    return all(sign in _COMPARE and isinstance(bound, int | float) for sign, bound in pairs)


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Tell whether an event, as JSON values, is one that the pattern wants."""
    if not isinstance(event, Mapping):
        return False
    return all(_matches_field(wanted, event.get(field, _ABSENT)) for field, wanted in pattern.items())


def _matches_field(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        return matches(wanted, value)
    values = value if isinstance(value, list) else [value]
    return any(_matches_one(alternative, one) for alternative in wanted for one in values)


def _matches_one(alternative: Any, value: Any) -> bool:
    if not isinstance(alternative, Mapping):
        return value is not _ABSENT and type(value) is type(alternative) and bool(value == alternative)
    ((name, operand),) = alternative.items()
    if name == "exists":
        return (value is not _ABSENT) == bool(operand)
    if value is _ABSENT:
        return False
    match name:
        case "prefix":
            return isinstance(value, str) and value.startswith(operand)
        case "suffix":
            return isinstance(value, str) and value.endswith(operand)
        case "equals-ignore-case":
            return isinstance(value, str) and value.casefold() == str(operand).casefold()
        case "anything-but":
            return value not in (operand if isinstance(operand, list) else [operand])
        case _:
            numeric = isinstance(value, int | float) and not isinstance(value, bool)
            pairs = zip(operand[::2], operand[1::2], strict=True)
            return numeric and all(_COMPARE[sign](value, bound) for sign, bound in pairs)
