"""Modules of a small package with mistakes: `# ! code` stands in each line where both fronts report one.

One file, though long: the modules are one package, whose parts call each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

WORKFLOWS = """
import asyncio
import random
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timezone
from pathlib import Path
from time import monotonic as now

import httpx
from service_kit import Signal, State, duration, task, workflow

from shop import clocks
from shop.clocks import later, stamp
from shop.tasks import charge

cancelled = Signal("cancelled", str)
stage = State("stage", str)
SETTINGS = Path("settings.json")

@workflow
async def clocks_and_chance(order: str) -> float:
    a = time.time()  # ! nondeterminism
    b = datetime.now(timezone.utc)  # ! nondeterminism
    c = [date.today() for _ in range(2)]  # ! nondeterminism
    d = now()  # ! nondeterminism
    e = random.choice([1, 2])  # ! nondeterminism
    f = uuid.uuid4()  # ! nondeterminism
    time.sleep(1)  # ! nondeterminism
    g = random.Random(7).random()
    h = workflow.now(), workflow.uuid4(), workflow.random()
    i = datetime(2030, 1, 1), uuid.uuid5(uuid.NAMESPACE_DNS, "x")
    return a + asyncio.get_running_loop().time()

@workflow
async def outside(order: str) -> str:
    with open("orders.txt") as file:  # ! workflow-io
        file.read()
    Path("orders.txt").write_text(order)  # ! workflow-io
    SETTINGS.read_text()  # ! workflow-io
    subprocess.run(["ls"])  # ! workflow-io
    async with httpx.AsyncClient() as client:  # ! workflow-io
        await client.get("http://127.0.0.1")
    import socket
    socket.create_connection(("127.0.0.1", 1))  # ! workflow-io
    return str(httpx.Timeout(1))

@workflow
async def beside(order: str) -> None:
    threading.Thread(target=print).start()  # ! workflow-thread
    await asyncio.to_thread(print)  # ! workflow-thread
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, print)  # ! workflow-thread
    with ThreadPoolExecutor() as pool:  # ! workflow-thread
        pool.submit(print)
    async with asyncio.TaskGroup() as group:
        group.create_task(charge(order))
    await asyncio.gather(charge(order), charge(order))

@workflow
async def through_others(order: str) -> float:
    near(order)
    await inner()
    clocks.stamp()  # ! nondeterminism
    stage.set("done")
    return later()  # ! nondeterminism

def near(order: str) -> float:
    return time.time()  # ! nondeterminism

async def inner() -> None:
    def deeper() -> None:
        print(time.time_ns())  # ! nondeterminism
    deeper()

@workflow
async def shadowed(time: float, random: list[int]) -> float:
    open = charge
    await open("a")
    random.append(1)
    return time

@task
async def free(order: str) -> float:
    await asyncio.to_thread(print)
    stamp()
    return time.time() + random.random()
"""

CLOCKS = """
import time
from time import time as wall

def stamp() -> float:
    return wall()

def later() -> float:
    return time.perf_counter()

def unused() -> float:
    return time.monotonic()
"""

TASKS = """
from service_kit import Event, command, subscription, task, workflow

class Shipped(Event):
    order: str

@task
async def charge(order: str) -> str:
    return order

@subscription(Shipped)
async def tell(event: Shipped) -> None: ...
"""

FORGOTTEN = """
from service_kit import command, subscription, task
from shop.tasks import Shipped

@subscription(Shipped)
async def lost(event: Shipped) -> None: ...  # ! not-gathered

@task
async def forgotten(order: str) -> None: ...  # ! not-gathered

def helps() -> None: ...
"""

AWAITING = """
import asyncio
from service_kit import Signal, duration, workflow
from shop.tasks import Shipped, charge

cancelled = Signal("cancelled", str)

@workflow
async def forgets(order: str) -> None:
    charge(order)  # ! never-awaited typed
    charge.options(timeout_s=3)(order)  # ! never-awaited typed
    Shipped(order=order).emit()  # ! never-awaited typed
    cancelled.receive()  # ! never-awaited typed
    duration(days=1)  # ! never-awaited typed
    asyncio.sleep(1)  # ! never-awaited typed
    kept = charge(order)  # ! never-awaited
    child.start(order)  # ! never-awaited typed
    plain()  # ! never-awaited typed

@workflow
async def remembers(order: str) -> None:
    await charge(order)
    later = charge(order)
    await later
    both = [charge(order), charge(order)]
    await asyncio.gather(*both)
    await Shipped(order=order).emit()
    await child.start(order)
    asyncio.create_task(plain())
    child.options(id="a")
    ordinary()

@workflow
async def child(order: str) -> None: ...

async def plain() -> None: ...

def ordinary() -> None: ...
"""

ERRORS = """
from collections.abc import AsyncIterator
from service_kit import ServiceError, command

class Missing(ServiceError, status=404):
    id: int

class Gone(Missing, status=410): ...

class Full(ServiceError, status=409): ...

ALL = [Missing, Full]

@command(errors=[Missing])
async def get(id: int) -> int:
    if id > 9:
        raise Full()  # ! undeclared-error
    if id > 5:
        raise Gone(id=id)
    if id > 3:
        raise ValueError(id)
    raise Missing(id=id)

@command
async def put(id: int) -> int:  # ! undeclared-error
    checked(id)
    return id

@command(errors=ALL)
async def listed(id: int) -> int:
    return checked(id)

@command
async def caught(id: int) -> int:
    try:
        checked(id)
        raise Full
    except (Missing, Full):
        return 0

@command
async def caught_by_base(id: int) -> AsyncIterator[int]:
    try:
        yield checked(id)
    except ServiceError:
        yield 0

@command
async def raised_in_handler(id: int) -> int:
    try:
        return checked(id)
    except Missing:
        raise Full  # ! undeclared-error

def checked(id: int) -> int:
    if id < 0:
        from shop.deeper import refuse
        refuse(id)
    return id
"""

DEEPER = """
from shop.errors import Missing

def refuse(id: int) -> None:
    raise Missing(id=id)
"""

SERVICE = """
from service_kit import Service
from shop import tasks
from shop.awaiting import forgets, remembers
from shop.errors import caught, caught_by_base, get, listed, put, raised_in_handler
from shop.forgotten import helps
from shop.workflows import beside, clocks_and_chance, outside, shadowed, through_others

class Shop(Service, include=[tasks]):
    \"\"\"Sell things.\"\"\"
    clocks_and_chance = clocks_and_chance
    outside = outside
    beside = beside
    through_others = through_others
    shadowed = shadowed
    forgets = forgets
    remembers = remembers
    get = get
    put = put
    listed = listed
    caught = caught
    caught_by_base = caught_by_base
    raised_in_handler = raised_in_handler
"""

CASES: Mapping[str, str] = {
    "workflows": WORKFLOWS,
    "clocks": CLOCKS,
    "tasks": TASKS,
    "forgotten": FORGOTTEN,
    "awaiting": AWAITING,
    "errors": ERRORS,
    "deeper": DEEPER,
    "service": SERVICE,
}


def write_cases(folder: Path) -> None:
    """Write the package `shop` into a folder; it has no `__init__.py`, as many have none."""
    (folder / "shop").mkdir()
    for name, source in CASES.items():
        (folder / "shop" / f"{name}.py").write_text(source)


def expected() -> set[tuple[str, int, str]]:
    """Return what is to be found: file, line and code."""
    return {(name, line, code) for name, line, code, _ in _marks()}


def seen_by_types() -> set[tuple[str, int]]:
    """Return the lines that a type checker reports by itself."""
    return {(name, line) for name, line, _, typed in _marks() if typed}


def _marks() -> list[tuple[str, int, str, bool]]:
    found: list[tuple[str, int, str, bool]] = []
    for name, source in CASES.items():
        for number, line in enumerate(source.splitlines(), 1):
            if mark := re.search(r"# ! ([a-z-]+)( typed)?$", line):
                found.append((name, number, mark[1], bool(mark[2])))
    return found
