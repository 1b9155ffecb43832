"""What travels: todos, pages of them, changes, and the errors that callers can count on.

Descriptions and examples are written for whoever reads the specification, people and agents alike.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field

from service_kit import ServiceError


def _written_out(value: object) -> object:
    """Refuse what the specification does not promise: pydantic reads numbers as seconds since 1970."""
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        return value
    raise ValueError("write the day as YYYY-MM-DD")


Day: TypeAlias = Annotated[date, BeforeValidator(_written_out), Field(examples=["2030-01-31"])]
TodoId: TypeAlias = Annotated[
    int, Field(ge=1, description="Number of the todo, as add_todo and list_todos tell it", examples=[1])
]
Title: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=200, description="What is to be done", examples=["buy milk"])
]
Priority: TypeAlias = Literal["low", "normal", "high"]
Status: TypeAlias = Literal["open", "done"]


class Todo(BaseModel):
    """One thing to do."""

    id: TodoId
    title: Title
    priority: Annotated[Priority, Field(description="How much it matters")]
    status: Annotated[Status, Field(description="Whether it is still to be done")]
    due: Annotated[Day | None, Field(description="Day by which it should be done, if any")]


class TodoPage(BaseModel):
    """Some todos, oldest first, and where the next ones begin."""

    todos: list[Todo]
    next_after: Annotated[
        int | None, Field(description="Give it as `after` to get the next page; null on the last page")
    ]


class TodoChange(BaseModel):
    """Something that happened to a todo."""

    number: Annotated[int, Field(ge=1, description="Counts changes; give it as `since` to resume")]
    kind: Literal["added", "completed", "removed"]
    todo: Annotated[Todo, Field(description="The todo after the change, or as it was when it was removed")]


class Greeting(BaseModel):
    """A greeting."""

    message: Annotated[str, Field(description="The greeting", examples=["hello sam"])]


class TodoNotFound(ServiceError, status=404):
    """There is no todo with this number, or it was removed."""

    todo_id: int


class TodoListFull(ServiceError, status=409):
    """The list holds as many todos as it may; remove some first."""

    limit: int


class FellBehind(ServiceError, status=410):
    """The changes right after `since` are not known (any more); list the todos again, and watch without `since`."""

    oldest: int
