"""Content filters of subscriptions: the part of EventBridge's event patterns that this project supports.

Source: Amazon EventBridge User Guide, "Comparison operators for use in event patterns", and for what it leaves open
the README of its matcher, github.com/aws/event-ruler. A pattern is an object with the fields of the event; a field's
value is a list of alternatives, or a pattern for a nested object. Alternatives are compared with leaves: an array
stands for its members, an object has none. Functions on AWS filter by this code, too: rules there go by names alone.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from service_kit.errors import DefinitionError

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
_FORMS = {
    "prefix": "'a', or {'equals-ignore-case': 'a'}",
    "suffix": "'a', or {'equals-ignore-case': 'a'}",
    "equals-ignore-case": "'a'",
    "anything-but": "'a', 1, a list of texts or of numbers, or {'prefix': 'a'} (or suffix, or equals-ignore-case)",
    "numeric": "['>', 0], or ['>=', 0, '<', 10]",
    "exists": "True or False",
}
"""The operators, and what each takes."""
_OF_TEXTS = ("prefix", "suffix", "equals-ignore-case")


def check_filter(where: str, pattern: Any, path: str = "match") -> None:
    """Raise DefinitionError for what is no pattern, or one that EventBridge would not take."""
    if not isinstance(pattern, Mapping) or not pattern:
        raise DefinitionError(where, f"{path} is {pattern!r}", "give an object of fields and alternatives")
    for field, alternatives in pattern.items():
        at = f"{path}[{field!r}]"
        if not isinstance(field, str):
            raise DefinitionError(where, f"{path} has {field!r}", "name the fields by texts")
        if isinstance(alternatives, Mapping):
            check_filter(where, alternatives, at)
        elif not isinstance(alternatives, list) or not alternatives:
            raise DefinitionError(
                where, f"{at} is {alternatives!r}", "give a list of alternatives, such as ['placed']"
            )
        else:
            for alternative in alternatives:
                _check_alternative(where, at, alternative)


def _check_alternative(where: str, at: str, alternative: Any) -> None:
    if not isinstance(alternative, Mapping):
        if not (alternative is None or isinstance(alternative, bool) or _is_plain(alternative)):
            raise DefinitionError(
                where,
                f"{at} has {alternative!r}",
                "give a text, a number, True, False or None, as its JSON has it",
            )
        return
    name = next(iter(alternative), None)
    if len(alternative) != 1 or name not in _FORMS:
        raise DefinitionError(
            where, f"{at} has {dict(alternative)!r}", f"use one operator of {', '.join(_FORMS)}"
        )
    if not _is_operand(name, alternative[name]):
        raise DefinitionError(where, f"{at} has {dict(alternative)!r}", f"give '{name}' {_FORMS[name]}")


def _is_operand(name: str, operand: Any) -> bool:
    match name:
        case "exists":
            return isinstance(operand, bool)
        case "numeric":
            return _is_range(operand)
        case "equals-ignore-case":
            return isinstance(operand, str)
        case "anything-but":
            return _is_exclusion(operand)
        case _:
            return isinstance(operand, str) or (
                _is_operator(operand, ("equals-ignore-case",))
                and isinstance(operand["equals-ignore-case"], str)
            )


def _is_exclusion(operand: Any) -> bool:
    if _is_operator(operand, _OF_TEXTS):
        (texts,) = operand.values()
        return isinstance(texts, str) or _is_list_of(texts, _is_text)
    return _is_plain(operand) or _is_list_of(operand, _is_text) or _is_list_of(operand, _is_number)


def _is_range(operand: Any) -> bool:
    match operand:
        case [str(sign), bound]:
            return sign in _COMPARE and _is_finite(bound)
        case [">" | ">=", low, "<" | "<=", high]:
            return _is_finite(low) and _is_finite(high) and bool(low < high)
        case _:
            return False


def _is_operator(operand: Any, names: tuple[str, ...]) -> bool:
    return isinstance(operand, Mapping) and len(operand) == 1 and next(iter(operand)) in names


def _is_list_of(operand: Any, kind: Callable[[Any], bool]) -> bool:
    return isinstance(operand, list) and bool(operand) and all(kind(item) for item in operand)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value)


def _is_plain(value: Any) -> bool:
    return _is_text(value) or _is_finite(value)


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Tell whether an event, as JSON values, is one that the pattern wants."""
    content: Mapping[str, Any] = event if isinstance(event, Mapping) else {}
    return all(_matches_field(wanted, content, field) for field, wanted in pattern.items())


def _matches_field(wanted: Any, content: Mapping[str, Any], field: str) -> bool:
    values = list(_members(content[field])) if field in content else []
    if isinstance(wanted, Mapping):
        # Without an object there, what asks for the absence of its fields is right.
        return any(matches(wanted, value) for value in values) or (not values and matches(wanted, {}))
    leaves = [value for value in values if not isinstance(value, Mapping)]
    return any(_matches_any(alternative, leaves) for alternative in wanted)


def _members(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for member in value:
            yield from _members(member)
    else:
        yield value


def _matches_any(alternative: Any, leaves: list[Any]) -> bool:
    if isinstance(alternative, Mapping) and "exists" in alternative:
        return bool(bool(leaves) == alternative["exists"])
    return any(_matches_one(alternative, leaf) for leaf in leaves)


def _matches_one(alternative: Any, leaf: Any) -> bool:
    if not isinstance(alternative, Mapping):
        return _is_equal(alternative, leaf)
    ((name, operand),) = alternative.items()
    match name:
        case "anything-but" if isinstance(operand, Mapping):
            ((inner, texts),) = operand.items()
            return not any(_matches_one({inner: text}, leaf) for text in _listed(texts))
        case "anything-but":
            return not any(_is_equal(excluded, leaf) for excluded in _listed(operand))
        case "numeric":
            pairs = zip(operand[::2], operand[1::2], strict=True)
            return _is_number(leaf) and all(_COMPARE[sign](leaf, bound) for sign, bound in pairs)
        case _:
            return isinstance(leaf, str) and _matches_text(name, operand, leaf)


def _matches_text(name: str, operand: Any, leaf: str) -> bool:
    text = str(operand)
    if isinstance(operand, Mapping):
        text, leaf = str(operand["equals-ignore-case"]).casefold(), leaf.casefold()
    match name:
        case "prefix":
            return leaf.startswith(text)
        case "suffix":
            return leaf.endswith(text)
        case _:
            return leaf.casefold() == text.casefold()


def _is_equal(wanted: Any, leaf: Any) -> bool:
    """Tell whether two leaves are one value in JSON: 100 is 100.0 there, and 1 is not true."""
    return isinstance(wanted, bool) == isinstance(leaf, bool) and bool(wanted == leaf)


def _listed(operand: Any) -> list[Any]:
    return operand if isinstance(operand, list) else [operand]
