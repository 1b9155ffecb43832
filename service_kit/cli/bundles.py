"""Options that belong together, as one parameter of a command: a frozen dataclass, each field of which is an option.

Typer reads a command's options from the parameters of its function. Several commands share the same handful, and
a function with ten parameters is hard to read; so a bundle is unfolded for typer, and folded again for the command.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def bundled(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with its bundles unfolded; a field's name, annotation and default are the option's."""
    hints = get_type_hints(command, include_extras=True)
    unfolded: dict[str, inspect.Parameter] = {}
    bundles: dict[str, type[Any]] = {}
    for parameter in inspect.signature(command).parameters.values():
        hint: Any = hints[parameter.name]
        if isinstance(hint, type) and is_dataclass(hint):
            bundles[parameter.name] = hint
            unfolded |= _options_of(hint)
        else:
            unfolded[parameter.name] = parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY)

    @wraps(command)
    def run(**given: Any) -> None:
        folded = {
            name: kind(**{option: given.pop(option) for option in _options_of(kind)})
            for name, kind in bundles.items()
        }
        command(**given, **folded)

    run.__signature__ = inspect.Signature(list(unfolded.values()))  # type: ignore[attr-defined]  # inspect reads it
    run.__annotations__ = {name: parameter.annotation for name, parameter in unfolded.items()}
    return run


def _options_of(bundle: type[Any]) -> Mapping[str, inspect.Parameter]:
    hints = get_type_hints(bundle, include_extras=True)
    return {
        field.name: inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(bundle)
    }
