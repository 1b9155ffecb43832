"""Say how a service and a client's contract differ, from pydantic's list of errors.

Values never enter a message: they may be secret, and the field's path is what leads to the cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from pydantic_core import ValidationError

from client_kit.errors import ContractDrift, excerpt

CURE = "install the contract that the service has now, or bring the service back to this one"
_SHOWN = 8

_DRIFT_TYPES = ("literal_error", "enum", "union_tag_invalid", "union_tag_not_found")
_DRIFT_SUFFIXES = ("missing", "extra_forbidden", "_type", "_parsing", "_attributes_type")


def answer_drift(command: str, subject: str, error: ValueError) -> ContractDrift:
    """Return the drift for something the service sent that the contract cannot read."""
    if not isinstance(error, ValidationError):
        return ContractDrift(command, subject, {"": excerpt(str(error))}, CURE)
    details = error.errors(include_url=False, include_context=False, include_input=False)
    fields = {_path(d["loc"]): _of_answer(d["type"], d["msg"]) for d in details[:_SHOWN]}
    return ContractDrift(command, subject, fields, CURE)


def arguments_drift(command: str, errors: object) -> ContractDrift | None:
    """Return the drift that a 422's list of errors shows, or None if the arguments were at fault.

    The contract wrote the arguments, and it does not leave out what it requires, add what it does not know, or
    write another type than it says. A service that complains of this has another contract; one that
    complains of a value (too large, wrong pattern) has not.
    """
    fields: dict[str, str] = {}
    for item in cast(list[object], errors) if isinstance(errors, list) else []:
        if not isinstance(item, dict):
            continue
        detail = cast(Mapping[str, object], item)
        kind = str(detail.get("type", ""))
        if kind in _DRIFT_TYPES or kind.endswith(_DRIFT_SUFFIXES):
            loc = detail.get("loc")
            fields[argument_path(loc)] = _of_arguments(kind, str(detail.get("msg", "")))
    if not fields:
        return None
    shown = dict(list(fields.items())[:_SHOWN])
    return ContractDrift(command, "the service takes other arguments than this contract", shown, CURE)


def argument_path(loc: object) -> str:
    """Return where in the arguments an error is; that they travel in a body, the caller need not know."""
    parts = cast(list[object], loc) if isinstance(loc, list) else [loc]
    return _path(parts[1:] if len(parts) > 1 and parts[0] == "body" else parts)


def _of_answer(kind: str, message: str) -> str:
    match kind:
        case "missing":
            return "is required by this contract, and the service does not send it"
        case "extra_forbidden":
            return "is sent by the service, and this contract does not know it"
        case _:
            return f"does not fit this contract ({excerpt(message)})"


def _of_arguments(kind: str, message: str) -> str:
    match kind:
        case "missing":
            return "is required by the service, and this contract does not know it"
        case "extra_forbidden":
            return "is sent by this contract, and the service does not know it"
        case _:
            return f"does not fit the service ({excerpt(message)})"


def _path(loc: Sequence[object]) -> str:
    return excerpt(".".join(str(part) for part in loc))
