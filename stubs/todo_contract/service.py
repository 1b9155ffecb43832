"""The service: its commands, workflows, signals and states."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from client_kit.contracts import Service, command, stream
from pydantic import Field

from .errors import FellBehind, TodoListFull, TodoNotFound
from .models import (
    Day,
    Greeting,
    Priority,
    PriorityFilter,
    StatusFilter,
    Title,
    Todo,
    TodoChange,
    TodoId,
    TodoPage,
)


class Todos(Service, name="todos", version="1.0.0"):
    """Manage a TODO list: add, view, complete and remove todos."""

    @command(
        method="POST",
        path="/todos",
        summary="Add a todo to the list",
        errors=[TodoListFull],
        tags=["todos"],
    )
    async def add_todo(
        self,
        title: Title,
        priority: Annotated[
            Priority,
            Field(description="How much it matters"),
        ] = "normal",
        due: Annotated[
            Day | None,
            Field(description="Day by which it should be done"),
        ] = None,
    ) -> Todo:
        raise NotImplementedError

    @command(
        method="GET",
        path="/todos",
        summary="List todos, all or those that match, in pages",
        tags=["todos"],
    )
    async def list_todos(
        self,
        status: StatusFilter = None,
        priority: PriorityFilter = None,
        contains: Annotated[
            str | None,
            Field(
                max_length=200,
                description="Only todos whose title contains this, in any case",
            ),
        ] = None,
        due_before: Annotated[
            Day | None,
            Field(description="Only todos that are due before this day"),
        ] = None,
        after: Annotated[
            int,
            Field(ge=0, description="`next_after` of the page before this one"),
        ] = 0,
        limit: Annotated[
            int,
            Field(ge=1, le=100, description="How many todos a page holds at most"),
        ] = 20,
    ) -> TodoPage:
        """List todos in the order in which they were added.

        Filters combine. A page with `next_after` has more behind it.
        """
        raise NotImplementedError

    @command(
        method="GET",
        path="/todos/{todo_id}",
        summary="Show one todo",
        errors=[TodoNotFound],
        tags=["todos"],
    )
    async def get_todo(self, todo_id: TodoId) -> Todo:
        raise NotImplementedError

    @command(
        method="POST",
        path="/todos/{todo_id}/complete",
        summary="Mark a todo as done",
        errors=[TodoNotFound],
        tags=["todos"],
        consequential=False,
    )
    async def complete_todo(self, todo_id: TodoId) -> Todo:
        """Mark a todo as done. One that is done already stays so."""
        raise NotImplementedError

    @command(
        method="DELETE",
        path="/todos/{todo_id}",
        summary="Remove a todo for good",
        errors=[TodoNotFound],
        tags=["todos"],
    )
    async def remove_todo(self, todo_id: TodoId) -> None:
        raise NotImplementedError

    @stream(
        method="GET",
        path="/export",
        summary="Stream every todo, one by one",
        tags=["todos"],
    )
    def export_todos(self, status: StatusFilter = None) -> AsyncIterator[Todo]:
        raise NotImplementedError

    @stream(
        method="GET",
        path="/changes",
        summary="Follow what happens to todos, as it happens",
        errors=[FellBehind],
        tags=["todos"],
    )
    def watch_todos(
        self,
        since: Annotated[
            int | None,
            Field(ge=0, description="Number of the last change already known"),
        ] = None,
        wait_s: Annotated[
            int,
            Field(
                ge=0,
                le=25,
                description="Seconds without a change after which the stream ends",
            ),
        ] = 20,
    ) -> AsyncIterator[TodoChange]:
        """Stream the changes after `since`, or all that are remembered, then each
        one as it happens.

        To go on after the end, ask again with the last number as `since`.
        """
        raise NotImplementedError

    @command(
        method="GET",
        path="/helloWorld/{name}",
        summary="Greet somebody by name",
        tags=["greeting"],
    )
    async def hello_world(
        self,
        name: Annotated[
            str,
            Field(description="Name of the person to say hello to", examples=["sam"]),
        ],
    ) -> Greeting:
        raise NotImplementedError
