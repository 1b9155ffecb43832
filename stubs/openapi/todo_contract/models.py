"""What travels."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Todo(BaseModel):
    """One thing to do."""

    id: Annotated[
        int,
        Field(
            ge=1,
            description="Number of the todo, as add_todo and list_todos tell it",
            examples=[1],
        ),
    ]
    title: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="What is to be done",
            examples=["buy milk"],
        ),
    ]
    priority: Annotated[
        Literal["low", "normal", "high"],
        Field(description="How much it matters"),
    ]
    status: Annotated[
        Literal["open", "done"],
        Field(description="Whether it is still to be done"),
    ]
    due: Annotated[
        Annotated[date, Field(examples=["2030-01-31"])] | None,
        Field(description="Day by which it should be done, if any"),
    ]


class TodoPage(BaseModel):
    """Some todos, oldest first, and where the next ones begin."""

    todos: list[Todo]
    next_after: Annotated[
        int | None,
        Field(
            description="Give it as `after` to get the next page; null on the last page",
        ),
    ]


class TodoChange(BaseModel):
    """Something that happened to a todo."""

    number: Annotated[
        int,
        Field(ge=1, description="Counts changes; give it as `since` to resume"),
    ]
    kind: Literal["added", "completed", "removed"]
    todo: Annotated[
        Todo,
        Field(
            description="The todo after the change, or as it was when it was removed",
        ),
    ]


class Greeting(BaseModel):
    """A greeting."""

    message: Annotated[str, Field(description="The greeting", examples=["hello sam"])]
