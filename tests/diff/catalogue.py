"""Rules of oasdiff's public catalogue, each with a pair of documents that shows it, and what this project says.

Ids and levels are those of https://github.com/oasdiff/oasdiff, checker/rules.go at commit 4553c69, which
`oasdiff checks changelog` prints. ERR breaks, INFO does not; WARN is what oasdiff cannot decide, and must be told as
breaking. The documents are ours. Where we say something else than the catalogue, `because` names the paragraph of
docs/design/diff.md that says why. One table, though long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from tests.diff.documents import document, fields, parameter, request, response

Level: TypeAlias = Literal["ERR", "WARN", "INFO"]
Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One rule of the catalogue."""

    id: str
    level: Level
    old: Json
    new: Json
    because: str = ""
    """Where we differ from it, why."""


TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
NUMBER: Json = {"type": "number"}
CAT: Json = {"type": "object", "title": "Cat", "properties": {"claws": WHOLE}, "required": ["claws"]}
DOG: Json = {"type": "object", "title": "Dog", "properties": {"tail": WHOLE}, "required": ["tail"]}

DEFAULTS = "Defaults"
SECURITY = "Security"
PATTERNS = "Widened answers"
NAMES = "Names"
DEPRECATED = "Deprecated is not gone"


def _asked(a: Any, b: Any) -> tuple[Json, Json]:
    return request(fields(size=a)), request(fields(size=b))


def _told(a: Any, b: Any) -> tuple[Json, Json]:
    return response(fields(size=a)), response(fields(size=b))


def _given(a: Any, b: Any) -> tuple[Json, Json]:
    return parameter(a), parameter(b)


def _secured(*alternatives: Json) -> Json:
    schemes: Json = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "oauth": {"type": "oauth2"}}
    return document({"security": list(alternatives)}, components={"securitySchemes": schemes})


def _answers(*statuses: str) -> Json:
    return document({"responses": {status: {"description": ""} for status in statuses}})


def _header(**header: Any) -> Json:
    return document(
        {"responses": {"200": {"description": "", "headers": {"X-Left": header} if header else {}}}}
    )


def _media(part: str, *names: str) -> Json:
    content = {"content": {name: {"schema": TEXT} for name in names}}
    if part == "body":
        return document({"requestBody": content})
    return document({"responses": {"200": {"description": "", **content}}})


NO_BODY = document()
TWO: Json = {**document()["paths"], "/others": {"get": {"operationId": "list", "responses": {}}}}
PATHS = [
    Case("endpoint-added", "INFO", document(), document(paths=TWO)),
    Case("api-removed-without-deprecation", "ERR", document(paths=TWO), document()),
    Case(
        "api-removed-with-deprecation",
        "INFO",
        document(
            paths={
                **document()["paths"],
                "/old": {
                    "get": {"operationId": "o", "deprecated": True, "x-sunset": "2020-01-01", "responses": {}}
                },
            }
        ),
        document(),
        DEPRECATED,
    ),
    Case("endpoint-deprecated", "INFO", document(), document({"deprecated": True})),
    Case("endpoint-reactivated", "INFO", document({"deprecated": True}), document()),
    Case("api-operation-id-removed", "INFO", document(), document({"operationId": "build"}), NAMES),
    Case("api-tag-added", "INFO", document(), document({"tags": ["a"]})),
    Case("webhook-added", "INFO", document(), document(webhooks={"paid": {"post": {"responses": {}}}})),
    Case("webhook-removed", "ERR", document(webhooks={"paid": {"post": {"responses": {}}}}), document()),
    Case("api-security-added", "INFO", _secured(), _secured({"key": []}), SECURITY),
    Case("api-security-removed", "INFO", _secured({"key": []}), _secured()),
    Case(
        "api-security-scope-added", "INFO", _secured({"oauth": []}), _secured({"oauth": ["write"]}), SECURITY
    ),
    Case("api-security-scope-removed", "INFO", _secured({"oauth": ["write"]}), _secured({"oauth": []})),
    Case("api-schema-removed", "INFO", document(components={"schemas": {"A": TEXT}}), document()),
]

PARAMETERS = [
    Case("new-required-request-parameter", "ERR", document(), parameter(required=True)),
    Case("new-optional-request-parameter", "INFO", document(), parameter()),
    Case("request-parameter-removed", "WARN", parameter(), document()),
    Case("request-parameter-became-required", "ERR", parameter(), parameter(required=True)),
    Case("request-parameter-became-optional", "INFO", parameter(required=True), parameter()),
    Case("request-parameter-type-changed", "ERR", *_given(TEXT, WHOLE)),
    Case("request-parameter-type-generalized", "INFO", *_given(WHOLE, NUMBER)),
    Case("request-parameter-became-enum", "ERR", *_given(TEXT, {"enum": ["a"]})),
    Case("request-parameter-enum-value-added", "INFO", *_given({"enum": ["a"]}, {"enum": ["a", "b"]})),
    Case("request-parameter-enum-value-removed", "ERR", *_given({"enum": ["a", "b"]}, {"enum": ["a"]})),
    Case("request-parameter-became-nullable", "INFO", *_given(TEXT, {"type": ["string", "null"]})),
    Case("request-parameter-became-not-nullable", "ERR", *_given({"type": ["string", "null"]}, TEXT)),
    Case("request-parameter-list-of-types-widened", "INFO", *_given(TEXT, {"type": ["string", "integer"]})),
    Case("request-parameter-list-of-types-narrowed", "ERR", *_given({"type": ["string", "integer"]}, TEXT)),
    Case("request-parameter-max-set", "WARN", *_given(WHOLE, {**WHOLE, "maximum": 5})),
    Case("request-parameter-max-decreased", "ERR", *_given({**WHOLE, "maximum": 5}, {**WHOLE, "maximum": 4})),
    Case(
        "request-parameter-max-increased", "INFO", *_given({**WHOLE, "maximum": 4}, {**WHOLE, "maximum": 5})
    ),
    Case("request-parameter-min-set", "WARN", *_given(WHOLE, {**WHOLE, "minimum": 5})),
    Case("request-parameter-min-increased", "ERR", *_given({**WHOLE, "minimum": 4}, {**WHOLE, "minimum": 5})),
    Case(
        "request-parameter-min-decreased", "INFO", *_given({**WHOLE, "minimum": 5}, {**WHOLE, "minimum": 4})
    ),
    Case("request-parameter-max-length-set", "WARN", *_given(TEXT, {**TEXT, "maxLength": 5})),
    Case(
        "request-parameter-max-length-decreased",
        "ERR",
        *_given({**TEXT, "maxLength": 5}, {**TEXT, "maxLength": 4}),
    ),
    Case(
        "request-parameter-min-length-increased",
        "ERR",
        *_given({**TEXT, "minLength": 4}, {**TEXT, "minLength": 5}),
    ),
    Case("request-parameter-pattern-added", "ERR", *_given(TEXT, {**TEXT, "pattern": "^a"})),
    Case("request-parameter-pattern-removed", "INFO", *_given({**TEXT, "pattern": "^a"}, TEXT)),
    Case(
        "request-parameter-pattern-changed",
        "WARN",
        *_given({**TEXT, "pattern": "^a"}, {**TEXT, "pattern": "^b"}),
    ),
    Case(
        "request-parameter-default-value-changed",
        "ERR",
        *_given({**WHOLE, "default": 1}, {**WHOLE, "default": 2}),
    ),
    Case("request-parameter-default-value-added", "ERR", *_given(WHOLE, {**WHOLE, "default": 2})),
    Case("request-parameter-default-value-removed", "ERR", *_given({**WHOLE, "default": 2}, WHOLE)),
    Case(
        "request-parameter-max-items-decreased",
        "ERR",
        *_given({"type": "array", "maxItems": 3}, {"type": "array", "maxItems": 2}),
    ),
]

BODIES = [
    Case("request-body-added-required", "ERR", NO_BODY, request(TEXT)),
    Case("request-body-added-optional", "INFO", NO_BODY, request(TEXT, required=False)),
    Case("request-body-removed", "ERR", request(TEXT), NO_BODY),
    Case("request-body-became-required", "ERR", request(TEXT, required=False), request(TEXT)),
    Case("request-body-became-optional", "INFO", request(TEXT), request(TEXT, required=False)),
    Case("request-body-media-type-added", "INFO", _media("body", "a/b"), _media("body", "a/b", "a/c")),
    Case("request-body-media-type-removed", "ERR", _media("body", "a/b", "a/c"), _media("body", "a/b")),
    Case("request-body-type-changed", "ERR", request(TEXT), request(WHOLE)),
    Case("request-body-became-enum", "ERR", request(TEXT), request({"enum": ["a"]})),
    Case("request-body-any-of-added", "INFO", request({"anyOf": [CAT]}), request({"anyOf": [CAT, DOG]})),
    Case("request-body-any-of-removed", "ERR", request({"anyOf": [CAT, DOG]}), request({"anyOf": [CAT]})),
    Case("request-body-one-of-added", "INFO", request({"oneOf": [CAT]}), request({"oneOf": [CAT, DOG]})),
    Case("request-body-one-of-removed", "ERR", request({"oneOf": [CAT, DOG]}), request({"oneOf": [CAT]})),
    Case("request-body-all-of-added", "ERR", request({"allOf": [CAT]}), request({"allOf": [CAT, DOG]})),
    Case("request-body-const-added", "ERR", request(TEXT), request({"const": "a"})),
    Case("new-required-request-property", "ERR", request(fields()), request(fields(("size",), size=WHOLE))),
    Case(
        "new-required-request-property-with-default",
        "ERR",
        request(fields()),
        request(fields(("size",), size={**WHOLE, "default": 1})),
    ),
    Case("new-optional-request-property", "INFO", request(fields()), request(fields(size=WHOLE))),
    Case("request-property-removed", "WARN", request(fields(size=WHOLE)), request(fields())),
    Case(
        "request-property-became-required",
        "ERR",
        request(fields(size=WHOLE)),
        request(fields(("size",), size=WHOLE)),
    ),
    Case(
        "request-property-became-optional",
        "INFO",
        request(fields(("size",), size=WHOLE)),
        request(fields(size=WHOLE)),
    ),
    Case("request-property-type-changed", "ERR", *_asked(TEXT, WHOLE)),
    Case("request-property-type-generalized", "INFO", *_asked(WHOLE, NUMBER)),
    Case("request-property-became-nullable", "INFO", *_asked(TEXT, {"anyOf": [TEXT, {"type": "null"}]})),
    Case("request-property-became-not-nullable", "ERR", *_asked({"anyOf": [TEXT, {"type": "null"}]}, TEXT)),
    Case("request-property-enum-value-removed", "ERR", *_asked({"enum": ["a", "b"]}, {"enum": ["a"]})),
    Case("request-property-enum-value-added", "INFO", *_asked({"enum": ["a"]}, {"enum": ["a", "b"]})),
    Case(
        "request-property-min-items-increased",
        "ERR",
        *_asked({"type": "array", "minItems": 1}, {"type": "array", "minItems": 2}),
    ),
    Case(
        "request-property-contains-added",
        "ERR",
        *_asked({"type": "array"}, {"type": "array", "contains": TEXT}),
    ),
    Case(
        "request-property-property-names-removed",
        "INFO",
        *_asked({"type": "object", "propertyNames": {"pattern": "a"}}, {"type": "object"}),
    ),
    Case(
        "request-property-dependent-required-added",
        "ERR",
        *_asked({"type": "object"}, {"type": "object", "dependentRequired": {"a": ["b"]}}),
    ),
    Case("request-property-if-added", "ERR", *_asked(TEXT, {**TEXT, "if": {"minLength": 1}})),
    Case("request-optional-property-became-read-only", "INFO", *_asked(TEXT, {**TEXT, "readOnly": True})),
    Case("request-optional-property-became-not-read-only", "INFO", *_asked({**TEXT, "readOnly": True}, TEXT)),
    Case(
        "request-read-only-property-max-decreased",
        "INFO",
        *_asked({**WHOLE, "readOnly": True, "maximum": 5}, {**WHOLE, "readOnly": True, "maximum": 4}),
    ),
    Case(
        "request-property-default-value-changed",
        "INFO",
        *_asked({**WHOLE, "default": 1}, {**WHOLE, "default": 2}),
        DEFAULTS,
    ),
    Case("request-property-default-value-added", "INFO", *_asked(WHOLE, {**WHOLE, "default": 2}), DEFAULTS),
]

RESPONSES = [
    Case("response-success-status-added", "INFO", _answers("200"), _answers("200", "202")),
    Case("response-success-status-removed", "ERR", _answers("200", "202"), _answers("200")),
    Case("response-non-success-status-added", "INFO", _answers("200"), _answers("200", "404")),
    Case("response-non-success-status-removed", "INFO", _answers("200", "404"), _answers("200")),
    Case("response-media-type-added", "INFO", _media("answer", "a/b"), _media("answer", "a/b", "a/c")),
    Case("response-media-type-removed", "ERR", _media("answer", "a/b", "a/c"), _media("answer", "a/b")),
    Case("response-header-added", "INFO", _header(), _header(schema=TEXT)),
    Case("required-response-header-removed", "ERR", _header(schema=TEXT, required=True), _header()),
    Case("optional-response-header-removed", "WARN", _header(schema=TEXT), _header()),
    Case("response-header-became-optional", "ERR", _header(schema=TEXT, required=True), _header(schema=TEXT)),
    Case("response-body-type-changed", "ERR", response(TEXT), response(WHOLE)),
    Case("response-body-type-generalized", "ERR", response(WHOLE), response(NUMBER)),
    Case("response-body-type-specialized", "INFO", response(NUMBER), response(WHOLE)),
    Case("response-body-became-nullable", "ERR", response(TEXT), response({"type": ["string", "null"]})),
    Case("response-body-one-of-added", "ERR", response({"oneOf": [CAT]}), response({"oneOf": [CAT, DOG]})),
    Case("response-body-one-of-removed", "INFO", response({"oneOf": [CAT, DOG]}), response({"oneOf": [CAT]})),
    Case(
        "response-body-any-of-added",
        "INFO",
        response({"anyOf": [CAT]}),
        response({"anyOf": [CAT, DOG]}),
        PATTERNS,
    ),
    Case("response-body-any-of-removed", "INFO", response({"anyOf": [CAT, DOG]}), response({"anyOf": [CAT]})),
    Case(
        "response-optional-property-added",
        "INFO",
        response({"type": "object"}),
        response({"type": "object", "properties": {"size": WHOLE}}),
    ),
    Case(
        "response-required-property-added",
        "INFO",
        response({"type": "object"}),
        response({"type": "object", "properties": {"size": WHOLE}, "required": ["size"]}),
    ),
    Case("response-optional-property-removed", "WARN", response(fields(size=WHOLE)), response(fields())),
    Case(
        "response-required-property-removed",
        "ERR",
        response(fields(("size",), size=WHOLE)),
        response(fields()),
    ),
    Case(
        "response-property-became-optional",
        "ERR",
        response(fields(("size",), size=WHOLE)),
        response(fields(size=WHOLE)),
    ),
    Case(
        "response-property-became-required",
        "INFO",
        response(fields(size=WHOLE)),
        response(fields(("size",), size=WHOLE)),
    ),
    Case("response-property-type-changed", "ERR", *_told(TEXT, WHOLE)),
    Case("response-property-type-generalized", "ERR", *_told(WHOLE, NUMBER)),
    Case("response-property-became-nullable", "ERR", *_told(TEXT, {"type": ["string", "null"]})),
    Case("response-property-became-not-nullable", "INFO", *_told({"type": ["string", "null"]}, TEXT)),
    Case("response-property-enum-value-added", "WARN", *_told({"enum": ["a"]}, {"enum": ["a", "b"]})),
    Case("response-property-enum-value-removed", "INFO", *_told({"enum": ["a", "b"]}, {"enum": ["a"]})),
    Case("response-property-const-removed", "ERR", *_told({"const": "a"}, TEXT)),
    Case("response-property-const-added", "INFO", *_told(TEXT, {"const": "a"})),
    Case("response-property-max-increased", "ERR", *_told({**WHOLE, "maximum": 4}, {**WHOLE, "maximum": 5})),
    Case("response-property-min-decreased", "ERR", *_told({**WHOLE, "minimum": 4}, {**WHOLE, "minimum": 3})),
    Case("response-property-max-length-unset", "ERR", *_told({**TEXT, "maxLength": 4}, TEXT)),
    Case(
        "response-property-min-items-unset",
        "ERR",
        *_told({"type": "array", "minItems": 4}, {"type": "array"}),
    ),
    Case("response-property-pattern-added", "INFO", *_told(TEXT, {**TEXT, "pattern": "a"})),
    Case("response-property-pattern-removed", "INFO", *_told({**TEXT, "pattern": "a"}, TEXT), PATTERNS),
    Case(
        "response-property-default-value-changed",
        "INFO",
        *_told({**WHOLE, "default": 1}, {**WHOLE, "default": 2}),
    ),
    Case("response-optional-property-became-write-only", "INFO", *_told(TEXT, {**TEXT, "writeOnly": True})),
    Case(
        "response-optional-write-only-property-removed",
        "INFO",
        response(fields(size={**TEXT, "writeOnly": True})),
        response(fields()),
    ),
    Case(
        "response-property-contains-removed",
        "ERR",
        *_told({"type": "array", "contains": TEXT}, {"type": "array"}),
    ),
    Case(
        "response-property-prefix-items-added",
        "ERR",
        *_told({"type": "array"}, {"type": "array", "prefixItems": [TEXT]}),
        "Tuples",
    ),
]

CATALOGUE = [*PATHS, *PARAMETERS, *BODIES, *RESPONSES]
