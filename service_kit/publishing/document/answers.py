"""Responses of operations: results, streams, and errors by their names or by their statuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from service_kit.errors import RESERVED_FIELDS, ServiceError
from service_kit.publishing.definitions import Class, Line
from service_kit.publishing.document.constraints import FIELD
from service_kit.publishing.document.read import Document, Json
from service_kit.publishing.document.schemas import ANY, SchemaReader
from service_kit.publishing.document.words import attribute_name, class_name, status_name
from service_kit.publishing.expressions import (
    NONE,
    Call,
    Expression,
    Imported,
    Local,
    String,
    Text,
    builtin,
    union,
)
from service_kit.publishing.naming import free_name

WORDS = "client_kit.contracts"
URN = "urn:problem-type:"
FRAMEWORK = f"{URN}service-kit:"
_OF_EVERY_ERROR = frozenset(dir(ServiceError))
"""Attributes that no field of an error may hide."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers if all goes well."""

    schemas: tuple[Any, ...] = ()
    """Of its results; no schema: there is none."""
    kinds: tuple[str, ...] = ()
    empty: bool = False
    streams: bool = False
    problem: str = ""
    """Why it cannot be carried."""


@dataclass(slots=True)
class Documented:
    """An error that a document describes by its status, before it has a name."""

    status: int
    body: Expression
    doc: str
    operations: list[str] = field(default_factory=list[str])


def answer_of(method: str, document: Document, responses: Mapping[str, Any]) -> Answer:
    """Return the answer of an operation's successful responses."""
    found = [r for status, r in sorted(responses.items()) if str(status).startswith("2")]
    found = found or [r for status, r in responses.items() if status == "default"]
    if method == "head":
        return Answer(empty=True)
    schemas: list[Any] = []
    kinds: list[str] = []
    empty = not found
    for response in found:
        content: Mapping[str, Json] = document.followed(response).get("content") or {}
        kind = next((k for k in content if is_json(k)), next(iter(content), None))
        if kind is None:
            empty = True
        elif kind.startswith("text/event-stream"):
            item = _item(content[kind].get("schema"))
            if item is None:
                return Answer(problem="its stream of events is of a kind that the client does not know")
            return Answer((item,), (kind,), streams=True)
        else:
            schemas.append(content[kind].get("schema", {}))
            kinds.append(kind)
    return Answer(tuple(schemas), tuple(kinds), empty)


class AnswerReader:
    """Makes types of results, and classes of errors."""

    def __init__(self, schemas: SchemaReader) -> None:
        self._schemas = schemas
        self._documented: dict[tuple[int, Expression], Documented] = {}
        self._numbers: dict[str, int] = {}

    def result(self, answer: Answer, title: str) -> Expression:
        """Return the type of the result, or of a stream's items."""
        if answer.streams:
            return self._schemas.read(answer.schemas[0], f"{title}Item", described=False)
        members = [
            self._body(kind, schema, f"{title}Result")
            for kind, schema in zip(answer.kinds, answer.schemas, strict=True)
        ]
        return union((*members, NONE)) if answer.empty else union(members)

    def errors(self, title: str, responses: Mapping[str, Any]) -> list[Expression]:
        """Return the classes of the errors that an operation documents."""
        found: dict[Expression, None] = {}
        for status, response in responses.items():
            members = self._schemas.document.followed(response)
            content: Mapping[str, Json] = members.get("content") or {}
            kind = next((k for k in content if is_json(k)), None)
            if kind is None or str(status).startswith("2"):
                continue
            schema: Any = content[kind].get("schema") or {}
            declared = list(self._declared(schema))
            found.update(dict.fromkeys(declared))
            exact = str(status).isdigit() and 400 <= int(status) <= 599
            if not declared and exact and not kind.startswith("application/problem"):
                documented = self._by_status(
                    int(status), schema, str(members.get("description") or ""), title
                )
                found.update(dict.fromkeys(documented))
        return list(found)

    def name_documented(self) -> None:
        """Settle the classes of errors that are known by status: named after it if it has one meaning everywhere."""
        by_status: dict[int, list[Documented]] = {}
        for one in self._documented.values():
            by_status.setdefault(one.status, []).append(one)
        for status, group in by_status.items():
            for one in group:
                shown = status_name(status)
                name = shown if len(group) == 1 else f"{one.operations[0]}{shown}"
                key = self._key(one.status, one.body)
                # Several operations may word it differently; none of them speaks for all.
                doc = one.doc if len(one.operations) == 1 else ""
                self._schemas.ledger.definitions[key] = Class(
                    name,
                    "",
                    "errors",
                    (Imported(WORDS, "DocumentedError"),),
                    (("status", Text(str(status))),),
                    doc=doc,
                    lines=(Line("body", one.body),),
                )

    def _body(self, kind: str, schema: Any, hint: str) -> Expression:
        if is_json(kind):
            return self._schemas.read(schema, hint, described=False)
        return builtin("str") if kind.startswith("text/") else builtin("bytes")

    def _declared(self, schema: Any) -> Iterator[Expression]:
        """Yield the errors of this framework among the alternatives of a schema."""
        members = self._schemas.document.followed(schema) if isinstance(schema, dict) else {}
        for choice in (*members.get("oneOf", ()), *members.get("anyOf", ())):
            yield from self._declared(choice)
        properties: Mapping[str, Any] = members.get("properties") or {}
        urn = _constant(properties.get("type"))
        if isinstance(urn, str) and urn.startswith(URN) and not urn.startswith(FRAMEWORK):
            yield self._problem(urn.rpartition(":")[2], members, properties)

    def _problem(self, name: str, members: Json, properties: Mapping[str, Any]) -> Expression:
        key = f"error:{name}"
        if key not in self._schemas.ledger.definitions:
            required = set(members.get("required", ()))
            lines: dict[str, Line] = {}
            for property_, schema in properties.items():
                if property_ not in RESERVED_FIELDS:
                    field_ = free_name(attribute_name(property_), {*lines, *_OF_EVERY_ERROR})
                    annotation = self._schemas.read(schema, f"{name}_{property_}")
                    lines[field_] = _field_of(property_, field_, annotation, property_ in required)
            doc = str(members.get("description") or "").strip()
            status = _constant(properties.get("status"))
            self._schemas.ledger.definitions[key] = Class(
                class_name(name),
                "",
                "errors",
                (Imported(WORDS, "ServiceError"),),
                (("status", Text(str(status))),) if isinstance(status, int) else (),
                doc=doc,
                lines=tuple(lines.values()),
            )
        return Local(key)

    def _by_status(self, status: int, schema: Any, doc: str, title: str) -> Iterator[Expression]:
        body = self._schemas.read(schema, f"{title}{status_name(status)}Body", described=False)
        if body == ANY:
            return
        one = self._documented.setdefault((status, body), Documented(status, body, doc.strip()))
        one.operations.append(title)
        yield Local(self._key(status, body))

    def _key(self, status: int, body: Expression) -> str:
        number = self._numbers.setdefault(f"{status} {body!r}", len(self._numbers))
        key = f"status:{status}:{number}"
        # It holds a place until its name is known.
        self._schemas.ledger.definitions.setdefault(key, Class("", "", "errors", ()))
        return key


def _field_of(property_: str, name: str, annotation: Expression, required: bool) -> Line:
    """Return the field of an error for a member of its problem."""
    shown = annotation if required else union((annotation, NONE))
    if name == property_:
        return Line(name, shown, None if required else NONE)
    default = () if required else (("default", NONE),)
    # Not `alias`: by that, checkers would expect callers to name the field so.
    return Line(name, shown, Call(FIELD, (*default, ("validation_alias", String(property_)))))


def is_json(kind: str) -> bool:
    """Tell whether a media type is JSON, or could be."""
    bare = kind.partition(";")[0].strip().lower()
    return bare == "application/json" or bare.endswith("+json") or bare == "*/*"


def _item(schema: Any) -> Any | None:
    """Return the schema of an item in a stream of this framework; None for another kind of stream."""
    for event in cast(Json, schema).get("oneOf", ()) if isinstance(schema, dict) else ():
        properties: Mapping[str, Any] = event.get("properties", {})
        if _constant(properties.get("event")) == "message":
            return properties.get("data", {}).get("contentSchema", {})
    return None


def _constant(schema: Any) -> object:
    """Return the only value that a schema admits, as 3.1 or 3.0 says it."""
    if not isinstance(schema, dict):
        return None
    members = cast(Json, schema)
    values: list[object] = members.get("enum") or []
    return members.get("const", values[0] if len(values) == 1 else None)
