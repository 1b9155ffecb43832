"""A command's parameters as the model of a tool's arguments."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, create_model

from client_kit.contracts import CommandContract

TAKEN = ("config", "run_manager", "callbacks", "self")
"""Names that LangChain gives a meaning of its own: arguments of these names get another one."""


class ParameterContract(Protocol):
    """One parameter of a command."""

    @property
    def name(self) -> str: ...
    @property
    def annotation(self) -> Any: ...
    @property
    def default(self) -> Any:
        """`inspect.Parameter.empty` for none."""
        ...


@runtime_checkable
class DescribedCommand(CommandContract, Protocol):
    """What a tool reads of a command, beyond what its calls do."""

    @property
    def description(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def consequential(self) -> bool: ...
    @property
    def parameters(self) -> Sequence[ParameterContract]: ...


class Arguments:
    """A pydantic model of the parameters, with field names that pydantic and LangChain allow."""

    def __init__(self, contract: DescribedCommand) -> None:
        self._parameters = {_field_name(p.name): p for p in contract.parameters}
        fields: dict[str, Any] = {name: _field(p) for name, p in self._parameters.items()}
        self.model: type[BaseModel] = create_model(
            "".join(part.capitalize() for part in contract.name.split("_")),
            __config__=ConfigDict(extra="forbid", protected_namespaces=(), arbitrary_types_allowed=True),
            __doc__=contract.description or contract.summary,
            **fields,
        )

    def of_call(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return validated arguments by the parameters' own names, without those that are their defaults."""
        return {
            p.name: given[name]
            for name, p in self._parameters.items()
            if name in given and not _is_default(given[name], p.default)
        }


def _field(parameter: ParameterContract) -> Any:
    default = parameter.default
    if default is inspect.Parameter.empty:
        return (parameter.annotation, ...)
    if default is None or isinstance(default, bool | int | float | str):
        return (parameter.annotation, default)
    # A schema shows no default that a factory makes: this one may have no JSON.
    return (Annotated[parameter.annotation, Field(default_factory=lambda: default)], ...)


def _field_name(name: str) -> str:
    clean = name.lstrip("_") or "argument"
    return f"{clean}_" if clean in TAKEN or hasattr(BaseModel, clean) else clean


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))
