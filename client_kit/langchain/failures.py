"""What a model is told when its call fails, as far as it can do something about it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast

from langchain_core.tools import ToolException
from pydantic import ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

from client_kit.answers import FRAMEWORK, URN
from client_kit.contracts import CommandContract
from client_kit.contracts.texts import WrongArguments
from client_kit.errors import ContractDrift, ProblemError, excerpt
from client_kit.tools.requests import OperationContract

_NOT_THE_MODELS = frozenset({401, 403, 407, 408, 429})
"""Statuses that other arguments do not change."""


def tool_error(error: Exception, contract: CommandContract) -> ToolException | None:
    """Return what to tell the model, or None where the program has to hear of it."""
    if isinstance(error, WrongArguments):
        return ToolException(str(error))
    if isinstance(error, ContractDrift) and isinstance(contract, OperationContract):
        # A document wrote no arguments: the model did.
        error = error.__cause__ if isinstance(error.__cause__, ProblemError) else error
    if isinstance(error, ProblemError):
        if refused := error.members.get("errors"):
            return ToolException(
                _lines([(_argument(e), e.get("msg", "")) for e in refused if isinstance(e, dict)])
            )
        name = error.type.rpartition(":")[2]
        if error.type.startswith(URN) and not error.type.startswith(FRAMEWORK):
            return ToolException(f"{name}: {excerpt(error.detail or error.title)}")
        if 400 <= error.status < 500 and error.status not in _NOT_THE_MODELS:
            return ToolException(
                f"{error.status} {excerpt(error.title)}: {error.detail or 'the call was refused'}"
            )
        return None
    cls = type(error)
    if cast(object, contract.errors.get(cls.__name__)) is cls:
        why = (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")
        return ToolException(f"{cls.__name__}: {error}" + (f". {why}" if why else ""))
    return None


def invalid_arguments(error: ValidationError | ValidationErrorV1) -> str:
    """Return what is wrong with arguments, a line for each."""
    return _lines([(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()])


def _argument(entry: Mapping[str, Any]) -> str:
    """Return where an error is, without the part of the request in which the argument travelled."""
    loc = [str(part) for part in entry.get("loc") or ()]
    return ".".join(loc[1:] if loc[:1] and loc[0] in ("body", "query", "path", "header") else loc)


def _lines(found: list[tuple[str, str]]) -> str:
    return "\n".join(
        ["The arguments do not fit:", *(f"{at or 'all'}: {excerpt(said)}" for at, said in found)]
    )
