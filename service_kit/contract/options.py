"""Checks of options: of definitions, and of what is chosen for single calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from service_kit.errors import DefinitionError

ID_MOST = 500
"""Characters of an id that is chosen: in UTF-8 they fit every store's key, with what ids of children add to it."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """What an option may be: values of some type, and which of them."""

    has_type: Callable[[object], bool]
    cure: str
    in_range: Callable[[Any], bool] | None = None

    def refusal(self, value: object) -> type[TypeError | ValueError] | None:
        """Return what to raise for a value at a call, None if it is fine."""
        if not self.has_type(value):
            return TypeError
        return ValueError if self.in_range is not None and not self.in_range(value) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _fits_key(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False  # half of a surrogate pair
    return 0 < len(text) <= ID_MOST


def _is_retry(value: object) -> bool:
    from service_kit.engine.retry import Retry  # a service of commands alone imports nothing of the engine

    return isinstance(value, Retry)


def _is_closing(value: object) -> bool:
    from service_kit.engine.options import ParentClose

    return value in get_args(ParentClose)


def _are_texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(text, str) for pair in value.items() for text in pair
    )


def _can_be_asked_for(attributes: Mapping[str, str]) -> bool:
    return all(name and "=" not in name for name in attributes)  # lists ask for `name=value`


def _positive(number: float) -> bool:
    return 0 < number < math.inf


_SECONDS = _Rule(_is_number, "give a positive number of seconds", _positive)
_COUNT = _Rule(_is_whole, "give a positive whole number", _positive)
_SWITCH = _Rule(_is_switch, "give True or False")
_RULES: dict[str, _Rule] = {
    "timeout_s": _SECONDS,
    "schedule_to_close_s": _SECONDS,
    "heartbeat_timeout_s": _SECONDS,
    "catch_up_s": _SECONDS,
    "start_delay_s": _Rule(_is_number, "give a number of seconds, 0 or more", lambda s: 0 <= s < math.inf),
    "rate_per_s": _Rule(_is_number, "give a positive number of attempts in a second", _positive),
    "concurrency": _COUNT,
    "memory_mb": _COUNT,
    "inline": _SWITCH,
    "consequential": _SWITCH,
    "retry": _Rule(_is_retry, "give Retry(...), such as Retry(max_attempts=5)"),
    "parent_close": _Rule(_is_text, "give 'cancel', 'terminate' or 'abandon'", _is_closing),
    "id": _Rule(_is_text, f"give a text of 1 to {ID_MOST} characters that UTF-8 has", _fits_key),
    "attributes": _Rule(
        _are_texts,
        "give texts by names without '=', as `attribute.of(value)` returns them",
        _can_be_asked_for,
    ),
}


def check_options(at: str, options: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise DefinitionError for an option of a definition that is unknown, or cannot be what it is."""
    unknown = options.keys() - known.keys()
    if unknown:
        raise DefinitionError(at, f"unknown options {sorted(unknown)}", f"known ones are {sorted(known)}")
    for option, value in options.items():
        rule = _RULES.get(option)
        if rule is not None and rule.refusal(value) is not None:
            raise DefinitionError(at, f"{option} is {value!r}", rule.cure)


def check_chosen(at: str, **options: object) -> None:
    """Raise TypeError or ValueError for an option of a call that cannot be what it is; None is not given."""
    for option, value in options.items():
        rule = _RULES[option]
        refusal = None if value is None else rule.refusal(value)
        if refusal is not None:
            raise refusal(f"{at}: {option} is {value!r}; {rule.cure}, or None for what it was before")
