"""The errors that callers can count on."""

from __future__ import annotations

from client_kit.contracts import ServiceError


class TodoListFull(ServiceError, status=409):
    """The list holds as many todos as it may; remove some first."""

    limit: int


class TodoNotFound(ServiceError, status=404):
    """There is no todo with this number, or it was removed."""

    todo_id: int


class FellBehind(ServiceError, status=410):
    """The changes right after `since` are not known (any more); list the todos
    again, and watch without `since`.
    """

    oldest: int
