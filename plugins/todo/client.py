"""A typed client of the todo service: `python -m plugins.todo.client http://127.0.0.1:8000`.

Nothing here was generated: types, completion and errors come from the class `Todos` itself.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import date
from uuid import uuid4

from client_kit import ServiceClient, connect
from plugins.todo.model import Todo, TodoNotFound
from plugins.todo.service import Todos


async def tour(todos: ServiceClient[Todos]) -> None:
    """Call every command once or more, and print what comes back."""
    greeting = await todos.hello_world("sam")
    print(f"hello_world('sam')        {greeting.message}")

    milk = await todos.add_todo("buy milk")
    taxes = await todos.add_todo("file taxes", priority="high", due=date(2030, 4, 15))
    bread = await todos.add_todo("bake bread", priority="low")
    for todo in (milk, taxes, bread):
        print(f"add_todo                  {_line(todo)}")

    # With a key of its own a call may be sent again, by you or by the client, and is done once.
    once = todos.add_todo.options(idempotency_key=str(uuid4()))
    first, again = await once("call mum"), await once("call mum")
    print(f"add_todo, same key twice  {_line(first)}, then again number {again.id}")

    done = await todos.complete_todo(milk.id)
    print(f"complete_todo({milk.id})          {_line(done)}")
    urgent = await todos.list_todos(status="open", priority="high", after=milk.id)
    print(f"list_todos(priority=high) {'; '.join(map(_line, urgent.todos))}")
    await _show_pages(todos, after=milk.id)

    await todos.remove_todo(bread.id)
    try:
        await todos.get_todo(bread.id)
    except TodoNotFound as error:
        print(f"get_todo({bread.id})               TodoNotFound, with its fields: todo_id={error.todo_id}")

    async for todo in todos.export_todos(status="open"):
        print(f"export_todos, a stream    {_line(todo)}")
    await _watch(todos, until_removed=bread.id)


async def _show_pages(todos: ServiceClient[Todos], after: int) -> None:
    next_after: int | None = after
    while next_after is not None:
        page = await todos.list_todos(after=next_after, limit=2)
        print(f"list_todos(limit=2)       {'; '.join(map(_line, page.todos))}")
        next_after = page.next_after


async def _watch(todos: ServiceClient[Todos], until_removed: int) -> None:
    """Read the stream of changes up to one that is known to be in it, and hang up."""
    async with todos.watch_todos.stream() as changes:
        async for change in changes:
            print(f"watch_todos, a stream     {change.kind}: {_line(change.todo)}")
            if change.kind == "removed" and change.todo.id == until_removed:
                break


def _line(todo: Todo) -> str:
    due = f", due {todo.due}" if todo.due else ""
    return f"{todo.id} {todo.title} ({todo.status}, {todo.priority}{due})"


async def main(url: str) -> None:
    async with connect(Todos, url) as todos:
        await tour(todos)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
