"""The todo service through its typed client, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date

import pytest

from client_kit import InProcessTransport, ServiceClient, connect
from plugins.todo.model import FellBehind, TodoListFull, TodoNotFound
from plugins.todo.repository import InMemoryTodos
from plugins.todo.service import Todos, todos_in


@asynccontextmanager
async def client(repository: InMemoryTodos | None = None) -> AsyncIterator[ServiceClient[Todos]]:
    service = todos_in(repository or InMemoryTodos())
    async with connect(service, "http://todos.test", transport=InProcessTransport(service.asgi())) as todos:
        yield todos


def with_todos(
    test: Callable[[ServiceClient[Todos]], Awaitable[None]], repository: InMemoryTodos | None = None
) -> None:
    async def run() -> None:
        async with client(repository) as todos:
            await test(todos)

    asyncio.run(run())


def test_somebody_is_greeted_by_name() -> None:
    async def test(todos: ServiceClient[Todos]) -> None:
        assert (await todos.hello_world("sam")).message == "hello sam"
        assert (await todos.hello_world("ünï/cödé")).message == "hello ünï/cödé"

    with_todos(test)


def test_pages_show_every_todo_once_though_some_are_removed_in_between() -> None:
    async def test(todos: ServiceClient[Todos]) -> None:
        for number in range(1, 8):
            await todos.add_todo(f"todo {number}")
        seen, after = list[int](), 0
        while True:
            page = await todos.list_todos(after=after, limit=3)
            seen += [todo.id for todo in page.todos]
            await todos.remove_todo(page.todos[-1].id)
            if page.next_after is None:
                break
            after = page.next_after
        assert seen == [1, 2, 3, 4, 5, 6, 7]

    with_todos(test)


def test_filters_combine() -> None:
    async def test(todos: ServiceClient[Todos]) -> None:
        await todos.add_todo("File TAXES", priority="high", due=date(2030, 4, 15))
        await todos.add_todo("pay taxes", priority="high", due=date(2030, 5, 15))
        await todos.add_todo("read about taxes", priority="low", due=date(2030, 1, 1))
        await todos.add_todo("taxes again", priority="high")
        await todos.complete_todo(2)
        page = await todos.list_todos(
            status="open", priority="high", contains="taxes", due_before=date(2030, 6, 1)
        )
        assert [todo.id for todo in page.todos] == [1]

    with_todos(test)


def test_a_todo_that_is_done_stays_done_and_is_told_once() -> None:
    async def test(todos: ServiceClient[Todos]) -> None:
        todo = await todos.add_todo("buy milk")
        assert (await todos.complete_todo(todo.id)).status == "done"
        assert (await todos.complete_todo(todo.id)).status == "done"
        changes = [(change.number, change.kind) async for change in todos.watch_todos(wait_s=0)]
        assert changes == [(1, "added"), (2, "completed")]

    with_todos(test)


def test_a_removed_todo_is_gone_and_its_number_with_it() -> None:
    async def test(todos: ServiceClient[Todos]) -> None:
        todo = await todos.add_todo("buy milk")
        await todos.remove_todo(todo.id)
        for call in (todos.get_todo, todos.complete_todo, todos.remove_todo):
            with pytest.raises(TodoNotFound) as caught:
                await call(todo.id)
            assert caught.value.todo_id == todo.id
        assert (await todos.add_todo("buy milk")).id == todo.id + 1

    with_todos(test)


def test_a_full_list_says_so() -> None:
    async def test(todos: ServiceClient[Todos]) -> None:
        await todos.add_todo("one")
        await todos.add_todo("two")
        with pytest.raises(TodoListFull) as caught:
            await todos.add_todo("three")
        assert caught.value.limit == 2

    with_todos(test, InMemoryTodos(limit=2))


def test_an_export_has_more_todos_than_a_page() -> None:
    async def test(todos: ServiceClient[Todos]) -> None:
        for number in range(101):
            await todos.add_todo(f"todo {number}")
        await todos.complete_todo(50)
        exported = [todo.id async for todo in todos.export_todos(status="open")]
        assert exported == [number for number in range(1, 102) if number != 50]

    with_todos(test)


def test_a_change_reaches_those_who_watch_already() -> None:
    async def test(todos: ServiceClient[Todos]) -> None:
        first = await todos.add_todo("buy milk")
        async with todos.watch_todos.stream() as changes:
            assert (await anext(changes)).kind == "added"
            coming = asyncio.ensure_future(anext(changes))
            await todos.remove_todo(first.id)
            removed = await coming
            assert (removed.number, removed.kind, removed.todo.id) == (2, "removed", first.id)

    with_todos(test)


def test_a_watcher_goes_on_where_he_stopped() -> None:
    async def test(todos: ServiceClient[Todos]) -> None:
        for title in ("one", "two", "three"):
            await todos.add_todo(title)
        later = [change.todo.title async for change in todos.watch_todos(since=1, wait_s=0)]
        assert later == ["two", "three"]

    with_todos(test)


def test_a_watcher_hears_when_changes_that_he_missed_are_forgotten() -> None:
    async def test(todos: ServiceClient[Todos]) -> None:
        for title in ("one", "two", "three", "four"):
            await todos.add_todo(title)
        remembered = [change.number async for change in todos.watch_todos(wait_s=0)]
        assert remembered == [3, 4]
        for unknown in (1, 5):
            with pytest.raises(FellBehind) as caught:
                await anext(aiter(todos.watch_todos(since=unknown, wait_s=0)))
            assert caught.value.oldest == 3

    with_todos(test, InMemoryTodos(remembered=2))
