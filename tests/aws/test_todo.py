"""The todo plugin, deployed by one command to an emulator of AWS, and called there as its users call it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from client_kit import ProblemError, connect
from plugins.todo.client import tour
from plugins.todo.model import TodoNotFound
from plugins.todo.service import Todos
from tests.aws.documents import check_documents
from tests.aws.emulator import Emulator

pytestmark = pytest.mark.usefixtures("localhost_names")


@pytest.fixture(scope="module")
def url(aws: Emulator) -> Iterator[str]:
    with aws.deployed("tests.aws.deployments:todos", "todo") as outputs:
        assert outputs["ApiUrl"] == f"https://{outputs['ApiId']}.execute-api.us-east-1.amazonaws.com"
        yield aws.http_url(outputs["ApiId"])


def test_the_typed_client_calls_every_command(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def run() -> None:
        async with connect(Todos, url) as todos:
            await tour(todos)

    asyncio.run(run())
    printed = capsys.readouterr().out
    assert "hello_world('sam')        hello sam" in printed
    assert "add_todo                  2 file taxes (open, high, due 2030-04-15)" in printed
    assert "add_todo, same key twice  4 call mum (open, normal), then again number 4" in printed
    assert "list_todos(priority=high) 2 file taxes (open, high, due 2030-04-15)\n" in printed
    assert "get_todo(3)               TodoNotFound, with its fields: todo_id=3" in printed
    assert "export_todos, a stream    4 call mum (open, normal)" in printed
    assert "watch_todos, a stream     completed: 1 buy milk (done, normal)" in printed


def test_errors_arrive_as_they_were_raised(url: str) -> None:
    async def run() -> None:
        async with connect(Todos, url) as todos:
            with pytest.raises(TodoNotFound) as caught:
                await todos.get_todo(999)
            assert caught.value.todo_id == 999
            with pytest.raises(ProblemError) as refused:
                await todos.list_todos(limit=1000)
            assert refused.value.status == 422

    asyncio.run(run())


def test_the_rest_face_takes_paths_queries_and_bodies(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False) as http:
        added = http.post("/todos", json={"title": "ünï cödé"})
        assert added.status_code == 200
        number = added.json()["id"]
        assert http.get(f"/todos/{number}").json()["title"] == "ünï cödé"
        assert http.post(f"/todos/{number}/complete").json()["status"] == "done"
        found = http.get("/todos", params={"status": "done", "contains": "cödé"}).json()["todos"]
        assert [todo["id"] for todo in found] == [number]
        assert http.delete(f"/todos/{number}").status_code == 204
        gone = http.get(f"/todos/{number}", headers={"x-request-id": "r-1"})
        assert (gone.status_code, gone.json()["request_id"]) == (404, "r-1")
        assert gone.headers["content-type"] == "application/problem+json"


def test_agents_find_the_manifest_and_the_specification_at_the_apis_own_url(url: str) -> None:
    check_documents(url)


def test_only_the_routes_of_the_service_lead_to_it(url: str) -> None:
    nowhere = httpx.get(f"{url}/no/such/path", trust_env=False)
    assert nowhere.status_code == 404
    assert nowhere.headers.get("content-type") != "application/problem+json"
