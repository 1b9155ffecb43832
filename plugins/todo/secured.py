"""The same service for several people: each has an API key, and a list of his own.

Run it with `uvicorn --factory plugins.todo.secured:SecuredTodos.asgi`, and with the keys in the environment:
TODO_API_KEYS="ann=a-long-secret,ben=another-one".
"""

from __future__ import annotations

import hmac
import os
from collections import defaultdict
from dataclasses import dataclass

from plugins.todo.repository import InMemoryTodos
from plugins.todo.service import Todos, kept_in
from service_kit import ApiKey


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a key."""

    name: str


async def find_owner(key: str) -> Owner | None:
    """Return the owner of a key, by the variable TODO_API_KEYS (`name=key,name=key`)."""
    found: Owner | None = None
    for entry in os.environ.get("TODO_API_KEYS", "").split(","):
        name, _, expected = entry.strip().partition("=")
        # Every key is compared, so that the time of an answer tells nothing.
        if expected and hmac.compare_digest(expected.encode(), key.encode()):
            found = Owner(name)
    return found


api_key = ApiKey(find_owner, description="The key that the operator of the list gave you")

_lists: defaultdict[str, InMemoryTodos] = defaultdict(InMemoryTodos)


class SecuredTodos(Todos, security=[api_key], use=[kept_in(lambda: _lists[api_key.caller().name])]):
    """Manage your own TODO list: add, view, complete and remove todos. The greeting needs no key."""
