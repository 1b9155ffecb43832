"""A small service, and its template as CloudFormation would read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from service_kit import Service, command
from service_kit.deploy import Deployment
from service_kit.deploy.rendering import to_json
from service_kit.deploy.values import plain


class Page(BaseModel):
    words: list[str]


@command(method="GET", path="/books/{book_id}", memory_mb=256, timeout_s=2.5)
async def read_book(book_id: int) -> str:
    """Read a book."""
    return f"book {book_id}"


@command(method="POST", path="/books/{other_id}/pages", memory_mb=1024)
async def add_page(other_id: int, page: Page, note: str | None = None) -> None:
    """Add a page to a book."""


@command
async def count_books() -> int:
    """Count the books."""
    return 0


class Library(Service, version="3.1"):
    """Lend books."""

    read_book = read_book
    add_page = add_page
    count_books = count_books


Template = dict[str, Any]


def document(deployment: Deployment) -> Template:
    """Return the template as JSON, after it was text."""
    import json

    read: Template = json.loads(to_json(deployment.template()))
    assert read == plain(deployment.template().document())
    return read


def of_type(template: Template, kind: str) -> dict[str, Any]:
    """Return the properties of every resource of a type, by name."""
    return {name: r["Properties"] for name, r in template["Resources"].items() if r["Type"] == kind}


def functions(template: Template) -> dict[str, Any]:
    return of_type(template, "AWS::Serverless::Function")


def routes(template: Template) -> dict[str, str]:
    """Return the function that each route of an HTTP API leads to."""
    integrations = of_type(template, "AWS::ApiGatewayV2::Integration")
    found: dict[str, str] = {}
    for route in of_type(template, "AWS::ApiGatewayV2::Route").values():
        integration = route["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")
        found[route["RouteKey"]] = _called(integrations[integration]["IntegrationUri"])
    return found


def rest_operations(template: Template) -> Iterator[tuple[str, str, Any]]:
    """Return path, method and content of every operation of a REST API."""
    [api] = of_type(template, "AWS::Serverless::Api").values()
    for path, item in api["DefinitionBody"]["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def called_by(operation: Any) -> str:
    return _called(operation["x-amazon-apigateway-integration"]["uri"])


def _called(uri: Any) -> str:
    return str(uri["Fn::Sub"].rpartition("${")[2].partition(".Arn}")[0])


def statements(template: Template) -> Iterator[tuple[str, Any]]:
    """Return every statement of every role's policies, with the role's name."""
    for name, role in of_type(template, "AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement
