"""One statement for many rows: the thread hands the interpreter back once for each statement, not for each row."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from typing import Any

SIZES = (64, 16, 4, 1)
"""Rows of one statement: few sizes, so that prepared statements are used again."""


def execute_many(
    connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """Execute a statement with `{rows}` in the place of a list of values; return what it returns, all together."""
    found: list[Any] = []
    begin = 0
    while begin < len(rows):
        size = next(size for size in SIZES if size <= len(rows) - begin)
        chunk = rows[begin : begin + size]
        values = [value for row in chunk for value in row]
        found += connection.execute(_text(statement, size, len(chunk[0])), values).fetchall()
        begin += size
    return found


@functools.cache
def _text(statement: str, rows: int, columns: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return statement.replace("{rows}", ", ".join([row] * rows))
