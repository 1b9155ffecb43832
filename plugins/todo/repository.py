"""Where todos are kept: a small port, and its bounded in-memory implementation."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Literal, Protocol

from plugins.todo.model import FellBehind, Priority, Status, Todo, TodoChange, TodoListFull


@dataclass(frozen=True, slots=True)
class Filter:
    """Which todos are asked for; None admits all."""

    status: Status | None = None
    priority: Priority | None = None
    contains: str | None = None
    due_before: date | None = None

    def admits(self, todo: Todo) -> bool:
        return (
            (self.status is None or todo.status == self.status)
            and (self.priority is None or todo.priority == self.priority)
            and (self.contains is None or self.contains.casefold() in todo.title.casefold())
            and (self.due_before is None or (todo.due is not None and todo.due < self.due_before))
        )


class TodoRepository(Protocol):
    """Keep todos, each under a number that is never given twice."""

    async def add(self, title: str, priority: Priority, due: date | None) -> Todo:
        """Keep a new todo; raise TodoListFull."""
        ...

    async def get(self, todo_id: int) -> Todo | None: ...

    async def find(self, wanted: Filter, after: int, limit: int) -> list[Todo]:
        """Return at most `limit` todos with numbers above `after`, in the order of their numbers."""
        ...

    async def complete(self, todo_id: int) -> Todo | None:
        """Mark a todo as done, if it is not; return it, or None if there is none."""
        ...

    async def remove(self, todo_id: int) -> bool:
        """Forget a todo; return whether there was one."""
        ...

    def changes(self, since: int | None, wait_s: float) -> AsyncIterator[TodoChange]:
        """Yield the changes after number `since` (None: all that are remembered), then each as it happens.

        Ends when `wait_s` seconds have passed without a change; raises FellBehind if changes after `since`
        are not known (any more).
        """
        ...


class InMemoryTodos:
    """Todos of one process and one event loop, lost with it.

    Holds at most `limit` todos, and remembers the last `remembered` changes.
    """

    def __init__(self, *, limit: int = 10_000, remembered: int = 1_000) -> None:
        self._limit = limit
        self._todos: dict[int, Todo] = {}
        self._last_id = 0
        self._changes: deque[TodoChange] = deque(maxlen=remembered)
        self._last_change = 0
        self._news = asyncio.Event()

    async def add(self, title: str, priority: Priority, due: date | None) -> Todo:
        if len(self._todos) >= self._limit:
            raise TodoListFull(limit=self._limit)
        self._last_id += 1
        todo = Todo(id=self._last_id, title=title, priority=priority, status="open", due=due)
        self._todos[todo.id] = todo
        self._tell("added", todo)
        return todo

    async def get(self, todo_id: int) -> Todo | None:
        return self._todos.get(todo_id)

    async def find(self, wanted: Filter, after: int, limit: int) -> list[Todo]:
        # Numbers grow, and a dict keeps the order of insertion.
        matches = (todo for todo in self._todos.values() if todo.id > after and wanted.admits(todo))
        return list(islice(matches, limit))

    async def complete(self, todo_id: int) -> Todo | None:
        todo = self._todos.get(todo_id)
        if todo is None or todo.status == "done":
            return todo
        done = todo.model_copy(update={"status": "done"})
        self._todos[todo_id] = done
        self._tell("completed", done)
        return done

    async def remove(self, todo_id: int) -> bool:
        todo = self._todos.pop(todo_id, None)
        if todo is not None:
            self._tell("removed", todo)
        return todo is not None

    async def changes(self, since: int | None, wait_s: float) -> AsyncIterator[TodoChange]:
        seen = self._oldest - 1 if since is None else since
        while True:
            news = self._news
            # A number beyond the last one is of a list that is lost.
            if not self._oldest - 1 <= seen <= self._last_change:
                raise FellBehind(oldest=self._oldest)
            for change in [change for change in self._changes if change.number > seen]:
                yield change
                seen = change.number
            try:
                async with asyncio.timeout(wait_s):
                    await news.wait()
            except TimeoutError:
                return

    @property
    def _oldest(self) -> int:
        """The number of the oldest change that is remembered, or of the next one."""
        return self._changes[0].number if self._changes else self._last_change + 1

    def _tell(self, kind: Literal["added", "completed", "removed"], todo: Todo) -> None:
        self._last_change += 1
        self._changes.append(TodoChange(number=self._last_change, kind=kind, todo=todo))
        self._news.set()
        self._news = asyncio.Event()
