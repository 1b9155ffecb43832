"""Contract of the service Todos, version 1.0.0.

Written by `service-kit contract`: write it again rather than edit it.
"""

from __future__ import annotations

from .errors import FellBehind, TodoListFull, TodoNotFound
from .models import (
    Day,
    Greeting,
    Priority,
    PriorityFilter,
    Status,
    StatusFilter,
    Title,
    Todo,
    TodoChange,
    TodoId,
    TodoPage,
)
from .service import Todos

__version__ = "1.0.0"
__digest__ = "sha256:1460e521ff69e35ef4570edd9b048ca025111ad834f174bb849cee82ea8da1a2"
"""A digest of the other files."""

__all__ = [
    "Day",
    "FellBehind",
    "Greeting",
    "Priority",
    "PriorityFilter",
    "Status",
    "StatusFilter",
    "Title",
    "Todo",
    "TodoChange",
    "TodoId",
    "TodoListFull",
    "TodoNotFound",
    "TodoPage",
    "Todos",
]
