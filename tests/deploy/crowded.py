"""A service whose names and limits a template must have room for."""

from __future__ import annotations

from service_kit import Event, Service, command, subscription, task, workflow


class Printed(Event):
    sheet: str


@task(timeout_s=3_600, rate_per_s=5)
async def press(sheet: str) -> None: ...


@task(inline=True, memory_mb=2_048)
async def look(sheet: str) -> None: ...


@workflow(memory_mb=1_536)
async def printing(sheet: str) -> None:
    await look(sheet)
    await press(sheet)


@subscription(Printed, concurrency=3, memory_mb=768)
async def stack(event: Printed) -> None: ...


@command
async def press_task(sheet: str) -> None: ...


@command
async def schedule(sheet: str) -> None: ...


class Presses(Service):
    """It has commands whose functions would be named as others are."""

    printing = printing
    press_task = press_task
    schedule = schedule
