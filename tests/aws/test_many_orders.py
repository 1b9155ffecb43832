"""Many orders at once on the emulator, 2 % of everything going wrong: nothing is lost, and nothing done twice.

Counted beside the engine: the stream of the table tells of each effect that a task has had outside, under the name that
the task gives it (`idempotency_key`), and of each attempt that ran. An effect is lost if there is none of it for an
order, and doubled if there are two names for it, or if an attempt ran though an answer was stored. An attempt that was
cut off between its effect and its answer is followed by another one, whose effect has the same name.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator

import pytest

from client_kit.executions import StartOptions
from service_kit.hosts.aws.records import stream_records
from tests.aws.emulator import Emulator
from tests.aws.endurance import Ordeal, ordeal
from tests.aws.simulated import LEDGER
from tests.aws.witness import Witness

FEW, MANY = 25, 500
PATIENCE_S = 900.0
AT_ONCE = 32

OF_REQUESTS = {"refused": 0.004, "conflict": 0.004, "broken": 0.004, "unheard": 0.004, "again": 0.004}
OF_TASKS = {"raises": 0.01, "death_at_work": 0.01}
OF_PROCESSES = {"death_before": 0.0005, "death_after": 0.0005}
EFFECTS = ("reserved", "paid", "shipped")


@pytest.fixture
def place(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    with ordeal(aws, "crowd", tmp_path_factory.mktemp("orders")) as made:
        yield made


def test_some_orders_end_rightly_though_two_percent_of_everything_fails(place: Ordeal) -> None:
    asyncio.run(_all_end_rightly(place, FEW))


@pytest.mark.long
def test_five_hundred_orders_end_rightly_though_two_percent_of_everything_fails(place: Ordeal) -> None:
    asyncio.run(_all_end_rightly(place, MANY))


async def _all_end_rightly(place: Ordeal, count: int) -> None:
    orders, witness = [f"order-{number}" for number in range(count)], Witness(place.host, 1.0)
    place.mapping.disorder.repeated, place.mapping.disorder.mixed = 0.02, 0.02
    with place.going_wrong(**OF_REQUESTS, **OF_TASKS, **OF_PROCESSES):
        await _start(place, orders)
        assert await place.ended(witness, PATIENCE_S)
    found = await witness.executions()
    ended = {id: found[id].record for id in orders}
    assert {record.status for record in ended.values()} == {"succeeded"}
    assert [id for id, record in ended.items() if _result(id) not in str(record.outcome)] == []
    assert await witness.violations(place.declarations) == []
    effects = [
        record
        for record in stream_records({"Records": place.mapping.records})
        if record.pk == f"{LEDGER}effects"
    ]
    named = Counter((order, what) for order, what, _ in {tuple(record.sk.split(" ")) for record in effects})
    assert named == {(order, what): 1 for order in orders for what in EFFECTS}
    told = {"orders": count, "effects": len(named), "asked for again": len(effects) - len(named)}
    print(json.dumps({**told, "faults": place.happened(), "calls": place.mapping.calls}))


async def _start(place: Ordeal, orders: list[str]) -> None:
    gateway, room = place.caller.gateway, asyncio.Semaphore(AT_ONCE)

    async def start(order: str) -> None:
        async with room:
            await gateway.start("process", json.dumps({"order": order}), StartOptions(id=order))

    await asyncio.gather(*(start(order) for order in orders))


def _result(order: str) -> str:
    return f"reserved {order}, paid {order}, shipped {order}"
