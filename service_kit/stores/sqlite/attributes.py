"""Search attributes in SQLite: in the record, to be shown, and in a table of their own, to be found by."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from service_kit.runtime.records import changed_attributes

_ADD = "INSERT OR IGNORE INTO attributes (name, value, execution) VALUES (?, ?, ?)"
_REMOVE = "DELETE FROM attributes WHERE name = ? AND value = ? AND execution = ?"


def text_of(attributes: Mapping[str, str]) -> str:
    return json.dumps(dict(attributes)) if attributes else "{}"


def add(connection: sqlite3.Connection, execution: str, attributes: Mapping[str, str]) -> None:
    """Let an execution be found by these attributes."""
    connection.executemany(_ADD, [(name, value, execution) for name, value in attributes.items()])


def change(connection: sqlite3.Connection, execution: str, changes: Mapping[str, str | None]) -> None:
    """Set attributes of an execution; those that are None, take away."""
    row = connection.execute("SELECT attributes FROM executions WHERE id = ?", (execution,)).fetchone()
    before: dict[str, str] = json.loads(row[0])
    replaced = [(name, before[name], execution) for name in changes if name in before]
    connection.executemany(_REMOVE, replaced)
    add(connection, execution, {name: value for name, value in changes.items() if value is not None})
    after = text_of(changed_attributes(before, changes))
    connection.execute("UPDATE executions SET attributes = ? WHERE id = ?", (after, execution))


def remove(connection: sqlite3.Connection, execution: str, text: str) -> None:
    """Let an execution that is forgotten be found no more; `text` is that of its record.

    The table's key begins with the name: whoever asks for the execution alone has all of it read.
    """
    gone = [(name, value, execution) for name, value in json.loads(text).items()]
    connection.executemany(_REMOVE, gone)
