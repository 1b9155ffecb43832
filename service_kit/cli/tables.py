"""Executions and dead letters as tables for people."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from client_kit.executions import ExecutionInfo
from client_kit.letters import DeadLetter
from client_kit.management import ScheduleInfo
from service_kit.cli.output import printable

_COLOURS = {"succeeded": "green", "failed": "red", "timed_out": "red", "running": "cyan"}


def table_of_executions(found: Sequence[ExecutionInfo]) -> Table:
    """Return the list, a row for each."""
    why = ["Why paused"] if any(info.paused for info in found) else []
    table = _table("Id", "Workflow", "Status", "Started", "Took", "Attributes", *why)
    for info in found:
        attributes = ", ".join(f"{name}={value}" for name, value in info.attributes.items())
        reasons = [(info.paused_reason or "").partition("\n")[0] for _ in why]
        started = moment(info.started_at_s)
        _add(table, info.id, info.workflow, _status(info), started, _took(info), attributes, *reasons)
    return table


def description_of(info: ExecutionInfo) -> Table:
    """Return all that is known of one, a row for each fact."""
    table = _facts()
    _add(table, "id", info.id)
    _add(table, "workflow", info.workflow)
    _add(table, "status", _status(info))
    _add(table, "started", moment(info.started_at_s))
    if info.paused_reason is not None:
        _add(table, "paused", info.paused_reason)
    if info.ended_at_s is not None:
        _add(table, "ended", f"{moment(info.ended_at_s)}, after {_took(info)}")
    if info.parent is not None:
        _add(table, "parent", info.parent)
    if info.run:
        _add(table, "run", f"continued as new {info.run} times")
    for name, value in info.attributes.items():
        _add(table, "attribute", f"{name}={value}")
    return table


def table_of_states(states: Mapping[str, Any]) -> Table:
    """Return the values by name, a row for each."""
    table = _facts()
    for name, value in states.items():
        _add(table, name, json.dumps(value, ensure_ascii=False))
    return table


def table_of_letters(letters: Sequence[DeadLetter]) -> Table:
    """Return the list, a row for each."""
    table = _table("Event id", "Event", "Subscription", "Attempts", "Died", "Why")
    for letter in letters:
        why = f"{letter.error.rpartition(':')[2]}: {letter.message}"
        attempts, died = str(letter.attempts), moment(letter.died_at_s)
        _add(table, letter.event_id, letter.event, letter.subscription, attempts, died, why)
    return table


def description_of_letter(letter: DeadLetter) -> Table:
    """Return what is known of one but its traceback, a row for each fact."""
    table = _facts()
    _add(table, "event id", letter.event_id)
    _add(table, "event", letter.event)
    _add(table, "subscription", letter.subscription)
    _add(table, "attempts", str(letter.attempts))
    _add(table, "died", moment(letter.died_at_s))
    _add(table, "error", f"{letter.error}: {letter.message}")
    _add(table, "payload", json.dumps(letter.payload, indent=2, ensure_ascii=False))
    return table


def table_of_schedules(found: Sequence[ScheduleInfo]) -> Table:
    """Return the list, a row for each."""
    table = _table("Workflow", "Cron", "Time zone", "Overlap", "Last", "Next", "State")
    for one in found:
        last, following = ("" if at_s is None else moment(at_s) for at_s in (one.last_at_s, one.next_at_s))
        waiting = f", {one.waiting} waiting" if one.waiting else ""
        state = f"running {one.running}{waiting}" if one.running else ""
        if one.paused is not None:
            state = f"paused: {one.paused}" + (f"; {state}" if state else "")
        _add(table, one.workflow, one.cron, one.timezone, one.overlap, last, following, state)
    return table


def moment(seconds: float) -> str:
    """Return a time of day with its date, where this machine is."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title in ("Id", "Event id", "Status"))
    return table


def _facts() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    return table


def _add(table: Table, *cells: str | Text) -> None:
    table.add_row(*(Text(printable(cell)) if isinstance(cell, str) else cell for cell in cells))


def _status(info: ExecutionInfo) -> Text:
    text = Text(info.status, style=_COLOURS.get(info.status, "yellow"))
    return text.append(" (paused)", style="yellow") if info.paused else text


def _took(info: ExecutionInfo) -> str:
    if info.ended_at_s is None:
        return ""
    seconds = max(info.ended_at_s - info.started_at_s, 0)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{number} {unit}" for number, unit in [p for p in parts if p[0]][:2])
