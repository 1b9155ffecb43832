"""What OpenAPI has no words for, as data: the events, signals, states, workflows and tasks of a service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from service_kit.contract.codec import adapter_of
from service_kit.contract.gather import gather
from service_kit.contract.service import Service, ServiceContract, contract_of
from service_kit.contract.signal import Signal, State
from service_kit.openapi.schemas import Json, Slot, Wanted, generate


def describe_durable(service: type[Service]) -> Json:
    """Return the schemas of what a service stores and sends beside its commands, by kind and name.

    Signals and states are those of the class and of the modules of its declarations.
    """
    contract = contract_of(service)
    found = gather(contract)
    wanted: list[Wanted] = []
    place: list[tuple[str, str, str]] = []

    def want(section: str, name: str, part: str, adapter: TypeAdapter[Any], mode: JsonSchemaMode) -> None:
        place.append((section, name, part))
        wanted.append(Wanted(Slot(f"{section} {name}", part), adapter.core_schema, mode))

    for name, event in found.events.items():
        want("events", name, "payload", TypeAdapter(event), "validation")
    for section, kind in (("signals", Signal), ("states", State)):
        for declared in _typed(service, contract, kind):
            adapter: TypeAdapter[Any] = adapter_of(f"{kind.kind} '{declared.name}'", declared.type)
            want(section, declared.name, "payload", adapter, "validation")
    for section, declarations in (("workflows", found.workflows), ("tasks", found.tasks)):
        for name, one in declarations.items():
            want(section, name, "input", one.codec.rpc.adapter, "validation")
            want(section, name, "result", one.codec.output, "validation")
    schemas = generate(wanted)
    described: Json = {section: {} for section in ("events", "signals", "states", "workflows", "tasks")}
    for section, name, part in place:
        described[section].setdefault(name, {})[part] = schemas[Slot(f"{section} {name}", part)]
    described["components"] = {"schemas": dict(schemas.components)}
    return described


def _typed(service: type[Service], contract: ServiceContract, kind: type[Any]) -> Iterator[Any]:
    """Yield the signals, or the states, of the class and of the modules of its declarations."""
    found = gather(contract)
    spaces: list[Mapping[str, Any]] = [dict(vars(cls)) for cls in reversed(service.__mro__)]
    spaces += [contract.scope, *(vars(module) for module in contract.include)]
    spaces += [one.function.__globals__ for one in (*found.workflows.values(), *found.tasks.values())]
    seen: dict[str, Any] = {}
    for space in spaces:
        for value in list(space.values()):
            if isinstance(value, kind):
                seen.setdefault(value.name, value)
    yield from seen.values()
