"""The programs of the simulator, and orders, as functions run them: each attempt notes in a ledger that it ran.

The ledger is in the partitions `ledger#` of the service's own table, and written past the engine: so the table's stream
tells in one order what the engine has stored and what really ran.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

from service_kit import Retry, Service, task, workflow
from service_kit.contract.task import current_attempt
from service_kit.runtime.attempt import Attempt
from service_kit.testing.simulation import service as simulation
from service_kit.testing.simulation.world import WORLD, World, current_world
from tests.aws import injection

LEDGER = "ledger#"


class Ledger(World):
    """What tasks and handlers find instead of a simulated world."""

    _client: Any = None

    @contextmanager
    def attempt(self) -> Generator[int, None, None]:
        running = cast(Attempt, current_attempt())
        mark = secrets.token_hex(8)
        self._note("begins", mark, running)
        try:
            _meet_faults()
            yield running.number
        finally:
            self._note("ends", mark, running)

    async def effect(self, order: str, what: str) -> None:
        """Be an attempt that does something outside, by a name that is the same for all attempts."""
        running = cast(Attempt, current_attempt())
        mark, key = secrets.token_hex(8), running.idempotency_key
        # In threads: many of them run side by side.
        await asyncio.to_thread(self._note, "begins", mark, running)
        try:
            _meet_faults()
            item = {"pk": f"{LEDGER}effects", "sk": f"{order} {what} {key}", "mark": mark}
            await asyncio.to_thread(self._write, item)
        finally:
            await asyncio.to_thread(self._note, "ends", mark, running)

    async def handled(self, what: str) -> None:
        self._write({"sk": f"handled {secrets.token_hex(8)}", "pk": f"{LEDGER}events", "what": what})

    def _note(self, what: str, mark: str, running: Attempt) -> None:
        self._write(
            {
                "pk": f"{LEDGER}{running.idempotency_key}",
                "sk": f"{what} {mark}",
                "number": running.number,
                "until": running.claim.until_s,
                "at": injection.real_s(),
            }
        )

    def _write(self, item: Mapping[str, str | int | float]) -> None:
        if self._client is None:
            import boto3  # type: ignore[import-untyped] # it has no types

            self._client = injection.spare(boto3.client("dynamodb"))
        values = {name: {"S": v} if isinstance(v, str) else {"N": repr(v)} for name, v in item.items()}
        self._client.put_item(TableName=os.environ["SERVICE_KIT_TABLE"], Item=values)


PATIENT = Retry(max_attempts=60, backoff_s=0.2, backoff_max_s=2.0)


TASKS = ("charge", "reserve", "ship", "tries")
simulation.MOST_ATTEMPTS.update(dict.fromkeys(TASKS, 60))


@task(retry=PATIENT)
async def tries() -> int:
    """Return which attempt it was."""
    with current_world().attempt() as number:
        return number


@workflow
async def trying() -> int:
    return await tries()


@task(retry=PATIENT, concurrency=2)
async def charge(order: str) -> str:
    return await _done(order, "paid")


@task(retry=PATIENT, inline=True)
async def reserve(order: str) -> str:
    return await _done(order, "reserved")


@task(retry=PATIENT, concurrency=2)
async def ship(order: str) -> str:
    return await _done(order, "shipped")


async def _done(order: str, what: str) -> str:
    ledger = current_world()
    assert isinstance(ledger, Ledger)
    await ledger.effect(order, what)
    return f"{what} {order}"


def _meet_faults() -> None:
    injection.raises("raises")
    if injection.happens("death at work"):
        injection.die()


@workflow
async def process(order: str) -> str:
    reserved, paid = await asyncio.gather(reserve(order), charge(order))
    await asyncio.sleep(1)
    shipped = await ship(order)
    await simulation.Happened(what=order).emit()
    return f"{reserved}, {paid}, {shipped}"


@asynccontextmanager
async def open_ledger() -> AsyncGenerator[None, None]:
    WORLD.set(Ledger(injection.real_s))
    yield


class Simulated(Service, lifespan=open_ledger, include=[simulation]):
    """Programs made at random, and orders."""

    program = simulation.program
    process = process
    trying = trying
