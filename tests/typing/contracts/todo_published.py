"""Every type of Todos, as stubs.todo_contract has it: written by probes.py."""

from __future__ import annotations

from typing import reveal_type

from client_kit import ServiceClient, connect
from stubs.todo_contract import (
    FellBehind,
    Greeting,
    Todo,
    TodoChange,
    TodoListFull,
    TodoNotFound,
    TodoPage,
    Todos,
)


async def commands(client: ServiceClient[Todos]) -> None:
    reveal_type(client.add_todo)
    reveal_type(client.list_todos)
    reveal_type(client.get_todo)
    reveal_type(client.complete_todo)
    reveal_type(client.remove_todo)
    reveal_type(client.export_todos)
    reveal_type(client.watch_todos)
    reveal_type(client.hello_world)
    async with connect(Todos, "http://127.0.0.1") as connected:
        reveal_type(connected)


def fields_of_FellBehind(it: FellBehind) -> None:
    reveal_type(it.oldest)


def fields_of_Greeting(it: Greeting) -> None:
    reveal_type(it.message)


def fields_of_Todo(it: Todo) -> None:
    reveal_type(it.id)
    reveal_type(it.title)
    reveal_type(it.priority)
    reveal_type(it.status)
    reveal_type(it.due)


def fields_of_TodoChange(it: TodoChange) -> None:
    reveal_type(it.number)
    reveal_type(it.kind)
    reveal_type(it.todo)


def fields_of_TodoListFull(it: TodoListFull) -> None:
    reveal_type(it.limit)


def fields_of_TodoNotFound(it: TodoNotFound) -> None:
    reveal_type(it.todo_id)


def fields_of_TodoPage(it: TodoPage) -> None:
    reveal_type(it.todos)
    reveal_type(it.next_after)
