"""What agents read of the todo service: valid documents, and who may call."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from client_kit import ApiKeyAuth, ProblemError, connect
from plugins.todo.model import TodoNotFound
from plugins.todo.secured import SecuredTodos


@pytest.mark.parametrize("server", ["url", "secured_url"])
def test_the_served_specifications_are_valid(server: str, request: pytest.FixtureRequest) -> None:
    base = request.getfixturevalue(server)
    newest = httpx.get(f"{base}/openapi.json", trust_env=False).json()
    older = httpx.get(f"{base}/openapi.json", params={"version": "3.0"}, trust_env=False).json()
    assert (newest["openapi"], older["openapi"]) == ("3.1.0", "3.0.3")
    OpenAPIV31SpecValidator(newest).validate()
    OpenAPIV30SpecValidator(older).validate()
    for document in (newest, older):
        assert document["servers"] == [{"url": base}]
        for operations in document["paths"].values():
            for operation in operations.values():
                assert 0 < len(operation["summary"]) <= 300
                assert 0 < len(operation["description"]) <= 300
                for parameter in operation.get("parameters", ()):
                    assert 0 < len(parameter["description"]) <= 700


def test_each_owner_of_a_key_has_a_list_of_his_own(secured_url: str) -> None:
    async def test() -> None:
        ann = connect(SecuredTodos, secured_url, auth=ApiKeyAuth("secret-of-ann"))
        ben = connect(SecuredTodos, secured_url, auth=ApiKeyAuth("secret-of-ben"))
        async with ann as anns, ben as bens:
            todo = await anns.add_todo("buy milk")
            assert (await bens.list_todos()).todos == []
            with pytest.raises(TodoNotFound):
                await bens.remove_todo(todo.id)
            assert [t.title for t in (await anns.list_todos()).todos] == ["buy milk"]
            assert [t.title async for t in anns.export_todos()] == ["buy milk"]

    asyncio.run(test())


@pytest.mark.parametrize("key", ["", "secret", "secret-of-ann2", "ann=secret-of-ann"])
def test_only_the_greeting_is_open_to_callers_without_a_key(secured_url: str, key: str) -> None:
    async def test() -> None:
        auth = ApiKeyAuth(key) if key else None
        async with connect(SecuredTodos, secured_url, auth=auth) as todos:
            with pytest.raises(ProblemError) as caught:
                await todos.list_todos()
            assert caught.value.status == 401
            assert (await todos.hello_world("sam")).message == "hello sam"

    asyncio.run(test())


def test_documents_say_who_needs_a_key(secured_url: str) -> None:
    document = httpx.get(f"{secured_url}/openapi.json", trust_env=False).json()
    scheme = document["components"]["securitySchemes"]["apiKey"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-API-Key")
    assert document["security"] == [{"apiKey": []}]
    assert document["paths"]["/helloWorld/{name}"]["get"]["security"] == []
    manifest = httpx.get(f"{secured_url}/.well-known/ai-plugin.json", trust_env=False).json()
    assert manifest["auth"]["custom_auth_header"] == "X-API-Key"
