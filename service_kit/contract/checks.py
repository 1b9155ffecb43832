"""What is wrong in a service as a whole: found at import, where its parts are put together."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from service_kit.errors import DefinitionError, ServiceError

if TYPE_CHECKING:
    from service_kit.contract.command import AnyCommand
    from service_kit.contract.security import AnyScheme
    from service_kit.contract.service import ServiceContract


def check_service(at: str, options: Mapping[str, Any], contract: ServiceContract) -> None:
    """Raise DefinitionError for options that are no lists, and for two of one route or one name."""
    _check_sequences(at, options)
    _check_routes(at, contract)
    _check_errors(at, contract)
    _check_schemes(at, contract)
    _check_prompts(at, contract)
    _check_skills(at, contract)


def _check_sequences(at: str, options: Mapping[str, Any]) -> None:
    for option in ("include", "routes", "use", "security", "management", "prompts"):
        given: object = options.get(option, ())
        if not isinstance(given, list | tuple):
            raise DefinitionError(at, f"{option} is {given!r}", "give a list")
    if not callable(options.get("codecs", list)):
        raise DefinitionError(
            at,
            f"codecs is {options['codecs']!r}",
            "give a function that returns them: hosts call it, clients do not",
        )


def check_middleware(at: str, layers: Sequence[object]) -> None:
    """Raise DefinitionError for middleware that would fail with the first request: it is awaited."""
    for layer in layers:
        if isinstance(layer, type):
            raise DefinitionError(
                at,
                f"use holds the class {layer.__name__}",
                f"wrap ASGI middleware: class ...(Service, use=[AsgiMiddleware({layer.__name__})])",
            )
        if not callable(layer):
            raise DefinitionError(at, f"use holds {layer!r}", "list async functions of (request, call_next)")
        call = layer if inspect.isroutine(layer) or isinstance(layer, partial) else type(layer).__call__
        # A decorator's wrapper may hand on what the function gives, which is awaited as well.
        if not inspect.iscoroutinefunction(inspect.unwrap(call)):
            name = getattr(layer, "__qualname__", None) or repr(layer)
            raise DefinitionError(
                at, f"middleware '{name}' is not async", "write 'async def', and await call_next(request)"
            )


def _check_routes(at: str, contract: ServiceContract) -> None:
    taken: dict[tuple[str, str], AnyCommand] = {}
    for declared in contract.commands.values():
        if declared.route is None:
            continue
        other = taken.setdefault(declared.route.shape, declared)
        if other is not declared:
            raise DefinitionError(
                at,
                f"commands '{other.name}' and '{declared.name}' are both {declared.route.method} {declared.route.path}",
                "change the method or the path of one",
            )


def _check_errors(at: str, contract: ServiceContract) -> None:
    taken: dict[str, type[ServiceError]] = {}
    for declared in contract.commands.values():
        for name, error in declared.errors.items():
            _check_fields(error)
            if taken.setdefault(name, error) is not error:
                raise DefinitionError(
                    f"{at}, {declared.where}",
                    f"two errors have the name '{name}' ({taken[name].__module__} and {error.__module__})",
                    "rename one: the name is what travels",
                )


def _check_fields(error: type[ServiceError]) -> None:
    try:
        error.fields_model()
    except NameError as unknown:
        problem, cure = f"an annotation names '{unknown.name}', which is not defined", "import or define it"
    except (PydanticSchemaGenerationError, PydanticUserError) as unfit:
        first_line = str(unfit).partition("\n")[0]
        problem, cure = (
            f"pydantic cannot handle a field ({first_line})",
            "use types that it can, such as models",
        )
    else:
        return
    raise DefinitionError(f"error '{error.__name__}' ({error.__module__})", problem, cure)


def _check_schemes(at: str, contract: ServiceContract) -> None:
    taken: dict[str, AnyScheme] = {}
    used = [(at, (*contract.security, *contract.management))]
    used += [(f"{at}, {c.where}", tuple(c.options.get("security", ()))) for c in contract.commands.values()]
    for where, schemes in used:
        for scheme in schemes:
            if taken.setdefault(scheme.name, scheme) is not scheme:
                raise DefinitionError(
                    where, f"two security schemes have the name '{scheme.name}'", "give one another name=..."
                )


def _check_prompts(at: str, contract: ServiceContract) -> None:
    if not contract.prompts:
        return
    from service_kit.contract.prompt import Prompt  # a service without prompts imports nothing of them

    taken: dict[str, Prompt] = {}
    for declared in contract.prompts:
        if not isinstance(declared, Prompt):
            raise DefinitionError(at, f"prompts holds {declared!r}", "list functions that @prompt declares")
        declared.check()
        if taken.setdefault(declared.name, declared) is not declared:
            raise DefinitionError(at, f"two prompts have the name '{declared.name}'", "rename one")


def _check_skills(at: str, contract: ServiceContract) -> None:
    card = contract.declared_plugin.agent_card if contract.declared_plugin is not None else None
    for name in (card.skills if card is not None else None) or ():
        if name not in contract.commands:
            known = ", ".join(contract.commands) or "nothing yet"
            raise DefinitionError(f"{at}, agent card", f"its skill '{name}' is no command", f"it has {known}")
