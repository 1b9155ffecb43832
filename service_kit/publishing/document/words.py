"""Names of a document as names of Python: kept where Python can have them."""

from __future__ import annotations

import keyword
import re
from http import HTTPStatus

from pydantic import BaseModel

from service_kit.publishing.naming import pascal

_TAKEN = frozenset(dir(BaseModel))
"""Attributes of every model, which no field may hide."""


def class_name(text: str) -> str:
    """Return the name of a class for a component, a title, or an operation with a role."""
    name = text if text.isidentifier() else pascal(text)
    name = name[:1].upper() + name[1:]
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"Model{name}"


def attribute_name(text: str) -> str:
    """Return the name of a field for a property."""
    name = parameter_name(text)
    if name[:1].isupper():
        name = snake(name)  # or it would hide the class of the same name
    return f"{name}_" if name in _TAKEN or name.startswith("model_") else name


def parameter_name(text: str) -> str:
    """Return the name of a parameter or a command."""
    name = text if text.isidentifier() else snake(text)
    name = name.lstrip("_") or "value"
    name = name if name[:1].isalpha() else f"n{name}"
    return f"{name}_" if keyword.iskeyword(name) or name == "self" else name


def member_name(value: object) -> str:
    """Return the name of an enumeration's member for its value."""
    text = str(value).replace("-", "MINUS_") if isinstance(value, int) else str(value)
    name = re.sub(r"\W+", "_", snake(text)).strip("_").upper() or "EMPTY"
    return f"VALUE_{name}" if not name[:1].isalpha() or keyword.iskeyword(name) else name


def operation_name(method: str, path: str) -> str:
    """Return the name of a command whose operation has none: `get_pets_by_pet_id`."""
    parts = [f"by_{part[1:-1]}" if part.startswith("{") else part for part in path.strip("/").split("/")]
    return parameter_name(snake("_".join([method, *parts])))


def status_name(status: int) -> str:
    """Return `NotFound` for 404."""
    try:
        return pascal(HTTPStatus(status).phrase.replace("'", ""))
    except ValueError:
        return f"Status{status}"


def snake(text: str) -> str:
    """Return `PetStore-ID` as `pet_store_id`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return re.sub(r"[^A-Za-z0-9]+", "_", spaced).strip("_").lower()
