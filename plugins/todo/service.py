"""The todo plugin: a service that people call with a typed client, and agents by its specification.

Run it with `uvicorn --factory plugins.todo.service:Todos.asgi`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Annotated

from pydantic import Field

from plugins.todo.model import (
    Day,
    FellBehind,
    Greeting,
    Priority,
    Status,
    Title,
    Todo,
    TodoChange,
    TodoId,
    TodoListFull,
    TodoNotFound,
    TodoPage,
)
from plugins.todo.repository import Filter, InMemoryTodos, TodoRepository
from service_kit import Middleware, Next, Plugin, Request, Response, Service, command, prompt

_find_repository: ContextVar[Callable[[], TodoRepository]] = ContextVar("todo_repository")


def kept_in(find: Callable[[], TodoRepository]) -> Middleware:
    """Return the middleware that lends each call the repository that `find` names at that moment."""

    async def lend(request: Request, call_next: Next) -> Response:
        _find_repository.set(find)
        return await call_next(request)

    return lend


def _todos() -> TodoRepository:
    return _find_repository.get()()


StatusFilter = Annotated[Status | None, Field(description="Only todos with this status")]
PriorityFilter = Annotated[Priority | None, Field(description="Only todos with this priority")]


@command(
    method="POST", path="/todos", summary="Add a todo to the list", errors=[TodoListFull], tags=["todos"]
)
async def add_todo(
    title: Title,
    priority: Annotated[Priority, Field(description="How much it matters")] = "normal",
    due: Annotated[Day | None, Field(description="Day by which it should be done")] = None,
) -> Todo:
    return await _todos().add(title, priority, due)


@command(method="GET", path="/todos", summary="List todos, all or those that match, in pages", tags=["todos"])
async def list_todos(
    status: StatusFilter = None,
    priority: PriorityFilter = None,
    contains: Annotated[
        str | None, Field(max_length=200, description="Only todos whose title contains this, in any case")
    ] = None,
    due_before: Annotated[Day | None, Field(description="Only todos that are due before this day")] = None,
    after: Annotated[int, Field(ge=0, description="`next_after` of the page before this one")] = 0,
    limit: Annotated[int, Field(ge=1, le=100, description="How many todos a page holds at most")] = 20,
) -> TodoPage:
    """List todos in the order in which they were added.

    Filters combine. A page with `next_after` has more behind it.
    """
    found = await _todos().find(Filter(status, priority, contains, due_before), after, limit + 1)
    page = found[:limit]
    return TodoPage(todos=page, next_after=page[-1].id if len(found) > limit else None)


@command(
    method="GET", path="/todos/{todo_id}", summary="Show one todo", errors=[TodoNotFound], tags=["todos"]
)
async def get_todo(todo_id: TodoId) -> Todo:
    return _found(await _todos().get(todo_id), todo_id)


@command(
    method="POST",
    path="/todos/{todo_id}/complete",
    summary="Mark a todo as done",
    errors=[TodoNotFound],
    tags=["todos"],
    consequential=False,
)
async def complete_todo(todo_id: TodoId) -> Todo:
    """Mark a todo as done. One that is done already stays so."""
    return _found(await _todos().complete(todo_id), todo_id)


@command(
    method="DELETE",
    path="/todos/{todo_id}",
    summary="Remove a todo for good",
    errors=[TodoNotFound],
    tags=["todos"],
)
async def remove_todo(todo_id: TodoId) -> None:
    if not await _todos().remove(todo_id):
        raise TodoNotFound(todo_id=todo_id)


@command(method="GET", path="/export", summary="Stream every todo, one by one", tags=["todos"])
async def export_todos(status: StatusFilter = None) -> AsyncIterator[Todo]:
    wanted, after = Filter(status), 0
    while page := await _todos().find(wanted, after, 100):
        for todo in page:
            yield todo
        after = page[-1].id


@command(
    method="GET",
    path="/changes",
    summary="Follow what happens to todos, as it happens",
    errors=[FellBehind],
    tags=["todos"],
)
async def watch_todos(
    since: Annotated[int | None, Field(ge=0, description="Number of the last change already known")] = None,
    wait_s: Annotated[
        int, Field(ge=0, le=25, description="Seconds without a change after which the stream ends")
    ] = 20,
) -> AsyncIterator[TodoChange]:
    """Stream the changes after `since`, or all that are remembered, then each one as it happens.

    To go on after the end, ask again with the last number as `since`.
    """
    async for change in _todos().changes(since, wait_s):
        yield change


@command(
    method="GET",
    path="/helloWorld/{name}",
    summary="Greet somebody by name",
    tags=["greeting"],
    security=[],
)
async def hello_world(
    name: Annotated[str, Field(description="Name of the person to say hello to", examples=["sam"])],
) -> Greeting:
    return Greeting(message=f"hello {name}")


@prompt
def plan_day(day: Annotated[Day, Field(description="The day to plan")]) -> str:
    """Plan a day with the todos that are due."""
    return (
        f"List my open todos that are due before {day} or have high priority, and plan {day:%A} with them: "
        "when I do what, and what can wait."
    )


def _found(todo: Todo | None, todo_id: int) -> Todo:
    if todo is None:
        raise TodoNotFound(todo_id=todo_id)
    return todo


_shared = InMemoryTodos()


class Todos(
    Service,
    version="1.0.0",
    use=[kept_in(lambda: _shared)],
    plugin=Plugin(
        name_for_model="todo",
        name_for_human="TODO Plugin",
        description_for_model="Manage the user's TODO list: add, list, complete and remove todos. "
        "Todos are addressed by number; list them to learn the numbers. It can also greet people by name.",
        description_for_human="Manage a TODO list: add, view, complete and remove your TODOs.",
    ),
    prompts=[plan_day],
):
    """Manage a TODO list: add, view, complete and remove todos."""

    add_todo = add_todo
    list_todos = list_todos
    get_todo = get_todo
    complete_todo = complete_todo
    remove_todo = remove_todo
    export_todos = export_todos
    watch_todos = watch_todos
    hello_world = hello_world


def todos_in(repository: TodoRepository) -> type[Todos]:
    """Return the same service over a repository of your own: for tests, or for a database."""

    class TodoList(Todos, name="todos", use=[kept_in(lambda: repository)]):
        pass

    return TodoList
