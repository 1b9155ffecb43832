"""JSON Schemas of tools: those of the specification, each with the definitions that it needs inside of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from service_kit.contract.codec import CommandCodec
from service_kit.contract.service import ServiceContract
from service_kit.openapi.defaults import show_body_defaults
from service_kit.openapi.names import write
from service_kit.openapi.schemas import Json, Schemas, Slot, Wanted, generate

Codecs: TypeAlias = Mapping[str, CommandCodec]

_REFERENCE = re.compile(r':"#/components/schemas/([^"\\]+)"')


@dataclass(frozen=True, slots=True)
class Described:
    """The schema of a tool's input or output, and whether its value is a member of an object that it is not itself.

    Clients before the revision of 2026-07-28 take objects only, as arguments and as structured content.
    """

    schema: Json
    member: str | None

    def wrap(self, value: Any) -> Any:
        """Return a value as the schema has it."""
        return value if self.member is None else {self.member: value}


class ToolSchemas:
    """The schemas of every command, workflow and signal of a service, generated in one go."""

    def __init__(self, contract: ServiceContract) -> None:
        callables: dict[str, CommandCodec] = {name: c.codec for name, c in contract.commands.items()}
        callables |= {_workflow(name): declared.codec for name, declared in contract.workflows.items()}
        wanted = [w for owner, codec in callables.items() for w in _wanted(owner, codec)]
        wanted += [
            Wanted(Slot(_signal(name), "output"), signal.adapter.core_schema, "validation")
            for name, signal in contract.signals.items()
        ]
        wanted += [
            Wanted(Slot(_state(name), "output"), state.adapter.core_schema, "serialization")
            for name, state in contract.states.items()
        ]
        self._codecs = callables
        self._schemas: Schemas = generate(wanted)

    def arguments(self, command: str) -> Described:
        """Return the schema of a command's arguments."""
        return self._arguments(command)

    def result(self, command: str) -> Described | None:
        """Return the schema of what a command returns; None if it returns nothing."""
        codec = self._codecs[command]
        if codec.returns_nothing:
            return None
        schema = self._root(self._schemas[Slot(command, "output")])
        if schema.get("type") == "object":
            return Described(self._whole(schema), None)
        return Described(self._object({"result": schema}, ["result"]), "result")

    def items(self, command: str) -> Described:
        """Return the schema of what a stream of items is collected into."""
        item = self._schemas[Slot(command, "output")]
        complete: Json = {
            "type": "boolean",
            "description": "False: there were more items than fit into one result.",
        }
        members: dict[str, Json] = {"items": {"type": "array", "items": item}, "complete": complete}
        return Described(self._object(members, list(members)), None)

    def input(self, workflow: str) -> Json | None:
        """Return the schema of a workflow's input, its references not resolved; None if it takes none."""
        codec = self._codecs[_workflow(workflow)]
        return self._body(_workflow(workflow), codec) if codec.parameters else None

    def outcome(self, workflow: str) -> Json:
        """Return the schema of what a workflow returns, its references not resolved."""
        codec = self._codecs[_workflow(workflow)]
        return (
            {"type": "null"} if codec.returns_nothing else self._schemas[Slot(_workflow(workflow), "output")]
        )

    def signal(self, name: str) -> Json:
        """Return the schema of a signal's payload, its references not resolved."""
        return self._schemas[Slot(_signal(name), "output")]

    def state(self, name: str) -> Json:
        """Return the schema of a published state, its references not resolved."""
        return self._schemas[Slot(_state(name), "output")]

    def object(self, members: Mapping[str, Json], required: list[str]) -> Json:
        """Return the closed object of these members, with the definitions that they refer to."""
        return self._object(members, required)

    def _arguments(self, owner: str) -> Described:
        codec = self._codecs[owner]
        schema = self._body(owner, codec)
        if schema.get("type") == "object":
            return Described(self._whole(schema), None)
        assert codec.rpc.flat is not None, "only a lone model can be something else than an object"
        name, required = codec.rpc.flat.name, codec.rpc.flat.required
        return Described(self._object({name: schema}, [name] if required else []), name)

    def _body(self, owner: str, codec: CommandCodec) -> Json:
        schema = self._root(self._schemas[Slot(owner, "body")])
        if codec.rpc.flat is None:
            schema.pop("title", None)  # made of the command's name, which the tool has anyway
            schema = show_body_defaults(schema, codec.rpc)
        return schema

    def _root(self, schema: Json) -> Json:
        """Return the schema itself where only its name was given."""
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        return dict(self._schemas.components[name]) if name else schema

    def _object(self, members: Mapping[str, Json], required: list[str]) -> Json:
        schema: Json = {"type": "object", "properties": dict(members), "additionalProperties": False}
        if required:
            schema["required"] = required
        return self._whole(schema)

    def _whole(self, schema: Json) -> Json:
        """Return the schema with every component that it needs among its own definitions."""
        text = write(schema)
        needed: dict[str, str] = {}
        pending = list(_references(text))
        while pending:
            name = pending.pop()
            if name not in needed:
                needed[name] = write(self._schemas.components[name])
                pending += _references(needed[name])
        if not needed:
            return schema
        whole: Json = _parse(text)
        whole["$defs"] = {name: _parse(needed[name]) for name in sorted(needed)}
        return whole


def _wanted(owner: str, codec: CommandCodec) -> Iterator[Wanted]:
    inline = codec.rpc.flat is None
    yield Wanted(Slot(owner, "body"), codec.rpc.adapter.core_schema, "validation", inline)
    if not codec.returns_nothing:
        yield Wanted(Slot(owner, "output"), codec.output.core_schema, "serialization")


def _references(text: str) -> Iterator[str]:
    return (found[1] for found in _REFERENCE.finditer(text))


def _parse(text: str) -> Any:
    return json.loads(_REFERENCE.sub(r':"#/$defs/\1"', text))


# Owners of slots: commands have their names, and no name has a space.


def _workflow(name: str) -> str:
    return f"workflow {name}"


def _signal(name: str) -> str:
    return f"signal {name}"


def _state(name: str) -> str:
    return f"state {name}"
