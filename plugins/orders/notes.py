"""What the doubles of the world outside remember: a small port, and the memory of one process behind it."""

from __future__ import annotations

from typing import Protocol


class Notes(Protocol):
    """Books of notes, each note under a key."""

    async def add(self, book: str, key: str, note: str) -> bool:
        """Write a note unless there is one under this key; tell whether it was written."""
        ...

    async def get(self, book: str, key: str) -> str | None: ...

    async def remove(self, book: str, key: str) -> bool:
        """Strike a note out; tell whether it was there. Of several who try, one hears yes."""
        ...

    async def read(self, book: str) -> dict[str, str]:
        """Return all notes of a book, in the order of their keys."""
        ...


class MemoryNotes:
    """Notes in memory, which is enough where one process serves."""

    def __init__(self) -> None:
        self._books: dict[str, dict[str, str]] = {}

    async def add(self, book: str, key: str, note: str) -> bool:
        notes = self._books.setdefault(book, {})
        if key in notes:
            return False
        notes[key] = note
        return True

    async def get(self, book: str, key: str) -> str | None:
        return self._books.get(book, {}).get(key)

    async def remove(self, book: str, key: str) -> bool:
        return self._books.get(book, {}).pop(key, None) is not None

    async def read(self, book: str) -> dict[str, str]:
        return dict(sorted(self._books.get(book, {}).items()))
