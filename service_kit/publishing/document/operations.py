"""Operations of a document as commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from service_kit.publishing.definitions import Argument, Method
from service_kit.publishing.document.answers import AnswerReader, answer_of, is_json
from service_kit.publishing.document.constraints import plain
from service_kit.publishing.document.defaults import default_of
from service_kit.publishing.document.read import Json
from service_kit.publishing.document.schemas import SchemaReader
from service_kit.publishing.document.words import class_name, operation_name, parameter_name
from service_kit.publishing.expressions import (
    NONE,
    Call,
    Display,
    Expression,
    Imported,
    String,
    Subscript,
    Text,
    Union,
    annotated,
    builtin,
    call,
    union,
)
from service_kit.publishing.values import Unspeakable, is_mutable

WORDS = "client_kit.contracts"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_BODILESS = frozenset({"get", "head", "delete", "options", "trace"})
_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded", "application/octet-stream")


class Uncarried(ValueError):
    """Why an operation cannot be a command."""


@dataclass(slots=True)
class Operation:
    """One operation on its way to a command."""

    name: str
    method: str
    path: str
    members: Json
    shared: list[Any] = field(default_factory=list[Any])
    """Parameters of all operations of its path."""

    @property
    def title(self) -> str:
        return class_name("".join(part[:1].upper() + part[1:] for part in self.name.split("_")))


def operations_of(document_paths: Mapping[str, Any], reader: SchemaReader) -> Iterator[Operation]:
    """Yield the operations, each with a name of its own."""
    taken: set[str] = set()
    for path, item in document_paths.items():
        if path.startswith("x-"):
            continue  # an extension, no path
        members = reader.document.followed(item)
        for method in METHODS:
            if method not in members:
                continue
            operation: Json = members[method]
            name = operation.get("operationId")
            wanted = parameter_name(name) if isinstance(name, str) and name else operation_name(method, path)
            while wanted in taken:
                wanted += "_"
            taken.add(wanted)
            yield Operation(wanted, method, path, operation, members.get("parameters") or [])


class OperationReader:
    """Makes methods of operations."""

    def __init__(self, schemas: SchemaReader, answers: AnswerReader) -> None:
        self._schemas = schemas
        self._answers = answers

    def read(self, operation: Operation) -> Method:
        """Return an operation as a method; raise Uncarried for one that cannot be."""
        if not operation.path.startswith("/"):  # behind the URL of the service it could name another host
            raise Uncarried("its path does not begin with '/'")
        members, document = operation.members, self._schemas.document
        arguments = list(self._texts(operation))
        form: str | None = None
        if "requestBody" in members:
            body = document.followed(members["requestBody"])
            form, more = self._body(operation, body, {argument.name for argument in arguments})
            arguments += more
        answer = answer_of(operation.method, document, members.get("responses") or {})
        if answer.problem:
            raise Uncarried(answer.problem)
        result = self._answers.result(answer, operation.title)
        summary, doc = _words(members, "summary"), _words(members, "description")
        if doc == summary:
            doc = ""
        elif doc.partition("\n")[0].strip() == summary:
            summary = ""  # it is read off the docstring
        word = Imported(WORDS, "stream" if answer.streams else "command")
        return Method(
            operation.name,
            call(word, **dict(self._options(operation, summary, form))),
            tuple(_in_order(arguments)),
            Subscript(Imported("collections.abc", "AsyncIterator"), (result,)) if answer.streams else result,
            doc,
            is_async=not answer.streams,
        )

    def _options(
        self, operation: Operation, summary: str, form: str | None
    ) -> Iterator[tuple[str, Expression]]:
        members = operation.members
        yield "method", String(operation.method.upper())
        yield "path", String(operation.path)
        if summary:
            yield "summary", String(" ".join(summary.split()))
        errors = self._answers.errors(operation.title, members.get("responses") or {})
        if errors:
            yield "errors", Display("[", tuple(errors), "]")
        tags: list[Any] = members.get("tags") or []
        if tags:
            yield "tags", plain([str(tag) for tag in tags])
        consequential = members.get("x-openai-isConsequential")
        if isinstance(consequential, bool) and consequential != (operation.method not in ("get", "head")):
            yield "consequential", Text(str(consequential))
        if form is not None:
            yield "form", String(form)

    def _texts(self, operation: Operation) -> Iterator[Argument]:
        found: dict[tuple[str, str], Json] = {}
        for listed in (operation.shared, operation.members.get("parameters") or []):
            for item in listed:
                members = self._schemas.document.followed(item)
                found[str(members.get("in")), str(members.get("name"))] = members
        taken: set[str] = set()
        for (place, name), members in found.items():
            if place == "header" and name.lower() in ("accept", "content-type", "authorization"):
                continue  # the client's own, says OpenAPI
            yield self._text(operation, place, name, members, taken)

    def _text(self, operation: Operation, place: str, name: str, members: Json, taken: set[str]) -> Argument:
        shown = parameter_name(name)
        shown = f"{shown}_{place}" if shown in taken else shown
        taken.add(shown)
        content: Json = members.get("content") or {}
        if content:
            raise Uncarried(f"parameter '{name}' is a document of its own, {next(iter(content))}")
        schema = dict(members.get("schema") or {"type": "string"})
        for word in ("description", "deprecated", "example"):
            if word in members:
                schema[word] = members[word]
        marker = _marker(operation, place, name, shown, members)
        annotation = self._schemas.read(schema, f"{operation.title}_{shown}")
        required = place == "path" or members.get("required") is True
        return self._argument(shown, annotation, schema, required, marker)

    def _body(self, operation: Operation, body: Json, taken: set[str]) -> tuple[str | None, list[Argument]]:
        """Return what kind of form the body is, None for JSON, and its parameters."""
        content: Mapping[str, Json] = body.get("content") or {}
        kind = next((k for k in content if is_json(k)), None)
        form = None if kind else next((f for f in _FORMS if f in content), None)
        kind = kind or form
        if kind is None:
            raise Uncarried(f"its body is {' or '.join(content) or 'of no kind'}")
        schema: Any = content[kind].get("schema") or {}
        members = cast(Json, schema) if isinstance(schema, dict) else {}
        properties: dict[str, Any] = members.get("properties") or {}
        names = {parameter_name(name) for name in properties}
        spread = (
            properties and "$ref" not in members and not isinstance(members.get("additionalProperties"), dict)
        )
        if spread and not names & taken and names == set(properties):
            required = set(members.get("required", ()))
            return form, [
                self._member(operation, name, part, name in required) for name, part in properties.items()
            ]
        whole = (
            builtin("bytes")
            if form == "application/octet-stream"
            else self._schemas.read(schema, f"{operation.title}Body")
        )
        marker = call(Imported(WORDS, "Body"))
        name = "body" if "body" not in taken else "body_"
        required_ = body.get("required") is True
        return form, [self._argument(name, whole, {}, required_, marker)]

    def _member(self, operation: Operation, name: str, schema: Any, required: bool) -> Argument:
        members = cast(Json, schema) if isinstance(schema, dict) else {}
        annotation = self._schemas.read(schema, f"{operation.title}_{name}")
        return self._argument(name, annotation, members, required, None)

    def _argument(
        self, name: str, annotation: Expression, schema: Json, required: bool, marker: Expression | None
    ) -> Argument:
        default: Expression | None = None
        value: object = None
        if not required:
            value = schema.get("default")
            try:
                default = default_of(annotation, value, self._schemas.ledger.definitions)
            except Unspeakable:
                default = NONE if value is None else Imported(WORDS, "OMITTED")
            annotation = union((annotation, NONE)) if value is None else annotation
        shown = _hoisted(annotation) if default == NONE else annotation
        whole = annotated(shown, [marker] if marker else [])
        return Argument(name, whole, default, mutable=is_mutable(value, shown))


def _hoisted(annotation: Expression) -> Expression:
    """Return `Annotated[int, ...] | None` as `Annotated[int | None, ...]`, as people write it."""
    if not isinstance(annotation, Union) or len(annotation.members) != 2:
        return annotation
    inner, none = annotation.members
    if not isinstance(inner, Subscript) or inner.base != Imported("typing", "Annotated") or none != NONE:
        return annotation
    first, *metadata = inner.items
    if any(name == "discriminator" for m in metadata if isinstance(m, Call) for name, _ in m.arguments):
        return annotation
    return annotated(union((first, NONE)), metadata)


def _marker(operation: Operation, place: str, name: str, shown: str, members: Json) -> Expression | None:
    """Return what says where a parameter travels; None if it goes without saying."""
    style = str(members.get("style") or _STYLES.get(place, ""))
    explode = members.get("explode", style == "form")
    alias: dict[str, Expression] = {}
    match place:
        case "path" if style == "simple":
            if shown != name:
                alias["alias"] = String(name)
            return call(Imported(WORDS, "Path"), **alias) if alias else None
        case "query" if style in ("form", "spaceDelimited", "pipeDelimited", "deepObject"):
            if shown != name:
                alias["alias"] = String(name)
            if style != "form":
                alias["style"] = String(style)
            if explode is False and style != "deepObject":
                alias["explode"] = Text("False")
            plainly = operation.method in _BODILESS and not alias
            return None if plainly else call(Imported(WORDS, "Query"), **alias)
        case "header" | "cookie":
            dashed = shown.replace("_", "-") if place == "header" else shown
            if dashed.lower() != name.lower():
                alias["alias"] = String(name)
            return call(Imported(WORDS, place.capitalize()), **alias)
        case _:
            raise Uncarried(f"parameter '{name}' has the style '{style}' in its {place}")


def _in_order(arguments: list[Argument]) -> list[Argument]:
    """Return parameters as Python wants them: those with defaults go last."""
    return sorted(arguments, key=lambda argument: argument.default is not None)


def _words(members: Json, keyword: str) -> str:
    return str(members.get(keyword) or "").strip()
