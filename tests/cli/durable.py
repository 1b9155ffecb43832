"""A service with something of everything that is durable, as a module in a user's folder."""

from __future__ import annotations

SERVICE = '''
import asyncio
import os
from pathlib import Path
from pydantic import BaseModel
from service_kit import (
    Event, Retry, Service, ServiceError, Signal, State,
    command, complete_later, subscription, task, task_token, workflow,
)

class Shipped(Event):
    order: str
    boxes: int = 1

class Refused(ServiceError, status=409):
    why: str

released = Signal("released", str)
progress = State("progress", int)

@command
async def answer() -> str:
    return "first"

@command
async def process() -> int:
    return os.getpid()

@task
async def pack(order: str) -> str:
    return f"box of {order}"

@task
async def hold(order: str) -> str:
    """Run until the file 'release' is there."""
    Path("held").write_text(str(os.getpid()))
    while not Path("release").exists():
        await asyncio.sleep(0.01)
    return f"held {order}"

@workflow
async def ship(order: str, boxes: int = 1) -> str:
    box = await pack(order)
    progress.set(1)
    released_by = await released.receive()
    await Shipped(order=order, boxes=boxes).emit()
    return f"{box}, released by {released_by}"

@task
async def weigh(order: str) -> float:
    """Let somebody else say it, who finds the token in the file 'token'."""
    Path("token").write_text(task_token())
    return complete_later()

@workflow
async def consign(order: str) -> str:
    return f"{order}: {await weigh(order)} kg"

@workflow
async def store(order: str) -> str:
    return await hold(order)

@workflow
async def refuse(why: str) -> None:
    raise Refused(why=why)

@workflow
async def crash() -> None:
    raise RuntimeError("the belt is stuck")

@subscription(Shipped)
async def count(event: Shipped) -> None:
    if event.boxes < 0 and not Path("mended").exists():
        raise ValueError("less than nothing was shipped")
    with Path("shipped").open("a") as file:
        file.write(event.order + "\\n")

count.definition["retry"] = Retry(max_attempts=1)

class Depot(Service):
    """Ship orders."""
    answer = answer
    process = process
    ship = ship
    consign = consign
    store = store
    refuse = refuse
    crash = crash
    progress = progress
    released = released
'''
