"""Contract of the service Todos, version 1.0.0.

Written by `service-kit contract`: write it again rather than edit it.
"""

from __future__ import annotations

from .errors import FellBehind, TodoListFull, TodoNotFound
from .models import Greeting, Todo, TodoChange, TodoPage
from .service import Todos

__version__ = "1.0.0"
__digest__ = "sha256:93c22e266eb18466be4893bac77ecd423e028e6a66c8d4dbc18f894dc4a71a7e"
"""A digest of the other files."""

__all__ = [
    "FellBehind",
    "Greeting",
    "Todo",
    "TodoChange",
    "TodoListFull",
    "TodoNotFound",
    "TodoPage",
    "Todos",
]
