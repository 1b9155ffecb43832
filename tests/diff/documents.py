"""OpenAPI documents for tests: one operation, and what is put into it."""

from __future__ import annotations

from typing import Any

from service_kit.diff import Change, Verdict, compare

OK: dict[str, Any] = {"200": {"description": "", "content": {"application/json": {"schema": {}}}}}


def document(operation: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """Return a document with one operation, `POST /things`, and more members of the document."""
    described = {"operationId": "make", "responses": OK, **(operation or {})}
    return {"openapi": "3.1.0", "info": {}, "paths": {"/things": {"post": described}}, **members}


def request(schema: Any, *, required: bool = True, **members: Any) -> dict[str, Any]:
    """Return a document whose operation takes a body of this schema."""
    body = {"required": required, "content": {"application/json": {"schema": schema}}}
    return document({"requestBody": body}, **members)


def response(schema: Any, **members: Any) -> dict[str, Any]:
    """Return a document whose operation gives a result of this schema."""
    content = {"application/json": {"schema": schema}}
    return document({"responses": {"200": {"description": "", "content": content}}}, **members)


def parameter(
    schema: Any = None, *, name: str = "size", location: str = "query", **members: Any
) -> dict[str, Any]:
    """Return a document whose operation takes one parameter."""
    given = {
        "name": name,
        "in": location,
        "schema": {"type": "string"} if schema is None else schema,
        **members,
    }
    return document({"parameters": [given]})


def fields(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """Return the schema of an object that takes these fields, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def rules(old: dict[str, Any], new: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the verdict and the rule of each change."""
    return {(change.verdict.value, change.rule) for change in compare(old, new)}


def breaks(changes: list[Change]) -> bool:
    return any(change.verdict is Verdict.BREAKING for change in changes)


def messages(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [change.message for change in compare(old, new)]
