"""Fields that are written under one name and read under another: what one side sends, the other could not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_READS_BACK = "give it one alias=... instead, or add the written name by validation_alias=AliasChoices(...)"


@dataclass(frozen=True, slots=True)
class UnreadableField:
    """A field, and why it does not survive the way from one side to the other."""

    owner: str
    """The model, dataclass or typed dict that it belongs to."""
    name: str
    problem: str
    cure: str


def unreadable_in(schema: Any) -> Iterator[UnreadableField]:
    """Yield the fields in a core schema that cannot be read back, as often as they occur."""
    for owner, field in _fields(schema):
        found = _judge(owner, field)
        if found is not None:
            yield found


@dataclass(frozen=True, slots=True)
class _Owner:
    """A model, dataclass or typed dict."""

    name: str
    by_name: bool
    """Whether it reads a field under its Python name as well."""
    forbids_extra: bool


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    schema: Mapping[str, Any]
    computed: bool = False


def _judge(owner: _Owner, field: _Field) -> UnreadableField | None:
    if field.computed:
        written = field.schema.get("alias", field.name)
        if not owner.forbids_extra:
            return None
        return UnreadableField(
            owner.name,
            field.name,
            f"it is computed, so it is written as '{written}', and {owner.name} refuses members that it does not know",
            "take extra='forbid' out of the model, or make it a plain property",
        )
    required = field.schema["schema"]["type"] != "default" and field.schema.get("required", True)
    if field.schema.get("serialization_exclude"):
        if not required:
            return None
        return UnreadableField(
            owner.name,
            field.name,
            "it is required, and excluded when it is written",
            "give it a default, or take out exclude",
        )
    written = field.schema.get("serialization_alias", field.name)
    read = _read_names(owner, field)
    if written in read:
        return None
    names = " or ".join(f"'{name}'" for name in sorted(read)) or "a path of members"
    return UnreadableField(
        owner.name, field.name, f"it is written as '{written}' and read as {names}", _READS_BACK
    )


def _read_names(owner: _Owner, field: _Field) -> set[str]:
    alias = field.schema.get("validation_alias")
    names = {field.name} if alias is None or owner.by_name else set()
    match alias:
        case str():
            names.add(alias)
        case [*paths]:
            choices = paths if paths and isinstance(paths[0], list) else [paths]
            names |= {path[0] for path in choices if len(path) == 1 and isinstance(path[0], str)}
        case _:
            pass
    return names


def _fields(schema: Any) -> Iterator[tuple[_Owner, _Field]]:
    """Yield every field in a core schema, with what owns it."""
    waiting: list[Any] = [(schema, None)]
    seen: set[int] = set()
    while waiting:
        node, owner = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Mapping):
            owner = _owner(node) or owner
            if owner is not None:
                yield from ((owner, field) for field in _own_fields(node))
            waiting += [(value, owner) for key, value in node.items() if key not in ("metadata", "config")]
        elif isinstance(node, list | tuple):
            waiting += [(value, owner) for value in node]


def _owner(node: Mapping[Any, Any]) -> _Owner | None:
    """Return what a node's fields belong to, if the node begins a model, dataclass or typed dict."""
    if node.get("type") not in ("model", "dataclass", "typed-dict"):
        return None
    config = node.get("config") or {}
    cls = node.get("cls")
    return _Owner(
        name=cls.__qualname__
        if isinstance(cls, type)
        else str(node.get("cls_name") or config.get("title") or "object"),
        by_name=bool(config.get("populate_by_name") or config.get("validate_by_name")),
        forbids_extra=config.get("extra_fields_behavior") == "forbid",
    )


def _own_fields(node: Mapping[Any, Any]) -> Iterator[_Field]:
    match node.get("type"):
        case "model-fields" | "typed-dict":
            yield from (_Field(name, field) for name, field in node["fields"].items())
        case "dataclass-args":
            yield from (_Field(field["name"], field) for field in node["fields"])
        case _:
            return
    for computed in node.get("computed_fields", ()):
        yield _Field(computed["property_name"], computed, computed=True)
