"""A service's class as a contract to publish."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any, NewType, get_args, get_type_hints

from service_kit.contract.command import AnyCommand
from service_kit.contract.declared import declared_for, declared_in
from service_kit.contract.gather import gather
from service_kit.contract.parameters import Parameter
from service_kit.contract.service import Service, ServiceContract, contract_of
from service_kit.contract.signal import Signal, State
from service_kit.contract.workflow import Workflow
from service_kit.errors import ServiceError
from service_kit.publishing.definitions import Argument, Ledger, Line, Method, Published, ServiceClass
from service_kit.publishing.expressions import (
    Display,
    Expression,
    Imported,
    String,
    Subscript,
    call,
)
from service_kit.publishing.types import TypeReader
from service_kit.publishing.values import Unspeakable, is_mutable, value_of

_WORDS = "client_kit.contracts"
_OMITTED = Imported(_WORDS, "OMITTED")
_ITERATOR = Imported("collections.abc", "AsyncIterator")


def publish_service(service: type[Service]) -> Published:
    """Return the contract of a service; raise DefinitionError for a type that cannot be published."""
    contract = contract_of(service)
    ledger = Ledger()
    reader = TypeReader(ledger)
    methods = [_command(declared, contract, reader) for declared in contract.commands.values()]
    errors = _errors_of_workflows(contract)
    methods += [_workflow(declared, errors[name], reader) for name, declared in contract.workflows.items()]
    attributes = tuple(_messages(service, contract, reader))
    for event in gather(contract).events.values():
        reader.refer(event)
    keywords = (("name", String(contract.name)), ("version", String(contract.version)))
    published = ServiceClass(
        contract.title,
        Imported(_WORDS, "Service"),
        keywords,
        contract.description,
        tuple(methods),
        attributes,
    )
    return Published(published, contract.version, ledger.definitions, notes=tuple(ledger.notes))


def _command(declared: AnyCommand, contract: ServiceContract, reader: TypeReader) -> Method:
    function = declared.function
    result = _result(function, contract)
    if declared.streaming:
        item = reader.read(get_args(result)[0], function.__module__, f"{declared.where}, its items")
        shown: Expression = Subscript(_ITERATOR, (item,))
    else:
        shown = reader.read(result, function.__module__, f"{declared.where}, its result")
    word = Imported(_WORDS, "stream" if declared.streaming else "command")
    return Method(
        declared.name,
        call(word, **dict(_command_options(declared, reader))),
        tuple(_arguments(declared.where, declared.codec.parameters, function, reader)),
        shown,
        declared.options.get("description") or inspect.getdoc(function) or "",
        is_async=not declared.streaming,
    )


def _command_options(declared: AnyCommand, reader: TypeReader) -> Iterator[tuple[str, Expression]]:
    options = declared.options
    if declared.route is not None:
        yield "method", String(declared.route.method)
        yield "path", String(declared.route.path)
    if "summary" in options:
        yield "summary", String(options["summary"])
    if declared.errors:
        yield "errors", Display("[", tuple(map(reader.refer, declared.errors.values())), "]")
    if "timeout_s" in options:
        yield "timeout_s", value_of(options["timeout_s"], reader.refer)
    if "tags" in options:
        yield "tags", value_of(list(options["tags"]), reader.refer)
    if "consequential" in options:
        yield "consequential", value_of(options["consequential"], reader.refer)


def _errors_of_workflows(contract: ServiceContract) -> dict[str, list[type[ServiceError]]]:
    """Return the declared errors of each workflow: of its own module, and of those of its tasks and children.

    Two classes of one name would both be given others. So of those that the workflow's module does not name itself,
    one whose name is in use is left out.
    """
    spaces = {name: declared.function.__globals__ for name, declared in contract.workflows.items()}
    found = {name: list(declared_in(space).values()) for name, space in spaces.items()}
    used = {e.__name__: e for e in (*contract.errors.values(), *(e for own in found.values() for e in own))}
    for name, space in spaces.items():
        found[name] += [
            error
            for error in declared_for(space)
            if error not in found[name] and used.setdefault(error.__name__, error) is error
        ]
    return {
        name: [e for e in errors if e.__module__ != "service_kit.errors"] for name, errors in found.items()
    }


def _workflow(declared: Workflow[..., Any], errors: list[type[ServiceError]], reader: TypeReader) -> Method:
    function = declared.function
    named: dict[str, Expression] = {}
    if errors:
        named["errors"] = Display("[", tuple(map(reader.refer, errors)), "]")
    if "timeout_s" in declared.definition:
        named["timeout_s"] = value_of(declared.definition["timeout_s"], reader.refer)
    result = get_type_hints(function, include_extras=True)["return"]
    return Method(
        declared.name,
        call(Imported(_WORDS, "workflow"), **named),
        tuple(_arguments(declared.where, declared.codec.parameters, function, reader)),
        reader.read(result, function.__module__, f"{declared.where}, its result"),
        inspect.getdoc(function) or "",
        is_workflow=True,
    )


def _result(function: Callable[..., Any], contract: ServiceContract) -> Any:
    bare = inspect.unwrap(function)
    only = types.SimpleNamespace(__annotations__={"return": bare.__annotations__["return"]})
    try:
        return get_type_hints(only, bare.__globals__, include_extras=True)["return"]
    except NameError:
        return get_type_hints(only, bare.__globals__, dict(contract.scope), include_extras=True)["return"]


def _arguments(
    where: str, parameters: tuple[Parameter, ...], function: Callable[..., Any], reader: TypeReader
) -> Iterator[Argument]:
    for p in parameters:
        at = f"{where}, parameter '{p.name}'"
        annotation = reader.read(p.annotation, function.__module__, at)
        default = None if p.required else _default(p.default, at, reader)
        if default is not None and default != _OMITTED and isinstance(p.annotation, NewType):
            default = call(annotation, default)
        suspect = not p.required and is_mutable(p.default, annotation)
        yield Argument(p.name, annotation, default, not p.positional, suspect)


def _default(value: object, at: str, reader: TypeReader) -> Expression:
    try:
        return value_of(value, reader.refer)
    except Unspeakable as error:
        reader.ledger.note(f"{at}: its default, {error}, is known to the service alone")
        return _OMITTED


def _messages(service: type[Service], contract: ServiceContract, reader: TypeReader) -> Iterator[Line]:
    """Yield the signals and states among the attributes of the class."""
    found: dict[str, Signal[Any] | State[Any]] = {}
    for cls in reversed(service.__mro__):
        found |= {name: v for name, v in vars(cls).items() if isinstance(v, Signal | State)}
    for name, value in found.items():
        module = str(contract.scope.get("__name__", ""))
        shown = reader.read(value.type, module, f"{value.kind} '{value.name}'")
        word = Imported(_WORDS, type(value).__name__)
        yield Line(name, None, call(word, String(value.name), shown))
