"""Structured tools of bound commands: one way of calling, whether the contract is typed or a document's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from langchain_core.tools import StructuredTool
from langchain_core.tools.base import ArgsSchema
from pydantic_core import to_json

from client_kit.bound import BoundCommand, BoundStream
from client_kit.errors import InvalidOption
from client_kit.langchain.arguments import TAKEN, Arguments, DescribedCommand
from client_kit.langchain.failures import invalid_arguments, tool_error
from client_kit.langchain.streams import StreamLimits, Taken, take, take_sync
from client_kit.tools.operations import Operation
from client_kit.tools.remote import RemoteService
from client_kit.tools.schemas import Json

Bound: TypeAlias = BoundCommand[..., Any] | BoundStream[..., Any]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a model sees of a command, and how its arguments become those of the call."""

    name: str
    description: str
    schema: ArgsSchema
    consequential: bool
    of_call: Callable[[Mapping[str, Any]], dict[str, Any]]


def tools_of_client(client: object, limits: StreamLimits) -> list[StructuredTool]:
    """Return a tool for each command of a client, in the order of its class; raise InvalidOption if it has none."""
    names = dict.fromkeys(name for base in reversed(type(client).__mro__) for name in vars(base))
    public = [name for name in names if not name.startswith("_") and _is_command(getattr(type(client), name))]
    if not public:
        problem = f"is of the type {type(client).__name__}, which has no commands"
        raise InvalidOption("source", problem, "give what connect(...) gives, or a URL")
    return [_typed(getattr(client, name), limits) for name in public]


def tools_of_service(service: RemoteService, limits: StreamLimits) -> list[StructuredTool]:
    """Return a tool for each operation of the document that takes JSON."""
    return [_tool(service.bind(operation), _shown(operation), limits) for operation in service.operations]


def _is_command(attribute: object) -> bool:
    return all(hasattr(attribute, member) for member in ("encode_call", "decode_result", "consequential"))


def _typed(command: Bound, limits: StreamLimits) -> StructuredTool:
    contract = command._line.endpoint.contract
    assert isinstance(contract, DescribedCommand), f"{contract} is a command of a contract"
    arguments = Arguments(contract)
    description = contract.description or contract.summary
    shown = _Shown(contract.name, description, arguments.model, contract.consequential, arguments.of_call)
    return _tool(command, shown, limits)


def _shown(operation: Operation) -> _Shown:
    own_names = {_allowed(name): name for name in operation.places}
    return _Shown(
        operation.name,
        operation.description,
        _allowed_schema(operation.parameters),
        operation.consequential,
        lambda given: {own_names.get(name, name): value for name, value in given.items()},
    )


def _tool(command: Bound, shown: _Shown, limits: StreamLimits) -> StructuredTool:
    contract = command._line.endpoint.contract

    def call(**given: Any) -> tuple[str, Any]:
        try:
            arguments = shown.of_call(given)
            if isinstance(command, BoundCommand):
                return _told(command.sync(**arguments))
            items = command.options(timeout_s=limits.time_s).sync(**arguments)
            return _told_items(take_sync(cast("Generator[Any, None, None]", items), limits))
        except Exception as error:
            told = tool_error(error, contract)
            if told is None:
                raise
            raise told from error

    async def acall(**given: Any) -> tuple[str, Any]:
        try:
            arguments = shown.of_call(given)
            if isinstance(command, BoundCommand):
                return _told(await command(**arguments))
            items = command.options(timeout_s=limits.time_s)(**arguments)
            return _told_items(await take(cast("AsyncGenerator[Any, None]", items), limits))
        except Exception as error:
            told = tool_error(error, contract)
            if told is None:
                raise
            raise told from error

    return StructuredTool(
        name=shown.name,
        description=shown.description,
        args_schema=shown.schema,
        func=call,
        coroutine=acall,
        response_format="content_and_artifact",
        handle_tool_error=True,
        handle_validation_error=invalid_arguments,
        metadata={"consequential": shown.consequential},
    )


def _told(result: Any) -> tuple[str, Any]:
    return ("done" if result is None else to_json(result, by_alias=True).decode(), result)


def _told_items(taken: Taken) -> tuple[str, Any]:
    text = to_json(taken.items, by_alias=True).decode()
    more = "" if taken.complete else f"\nThere is more: these are the first {len(taken.items)}."
    return text + more, taken.items


def _allowed(name: str) -> str:
    return f"{name}_" if name in TAKEN else name


def _allowed_schema(parameters: Json) -> Json:
    shown = {**parameters, "properties": {_allowed(name): p for name, p in parameters["properties"].items()}}
    if "required" in parameters:
        shown["required"] = [_allowed(name) for name in parameters["required"]]
    return shown
