"""`asyncio.all_tasks` in workflows, and elsewhere."""

from __future__ import annotations

import asyncio

from tests.engine.driving import Execution, task


def test_all_tasks_come_in_the_same_order_whatever_else_runs_in_the_process() -> None:
    async def many() -> list[str]:
        for number in range(40):
            for _ in range(number % 7):  # futures take numbers, too
                asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().create_task(task("x"), name=str(number))
        return [one.get_name() for one in asyncio.all_tasks()]

    async def others(count: int) -> None:
        for _ in range(count):
            asyncio.get_running_loop().create_task(task("y"))
        await task("z")

    orders, running = set[tuple[str, ...]](), list[Execution]()
    for number in range(60):
        same = Execution(many, cold=False)
        same.start(id="same")
        orders.add(tuple(same.result))
        running.append(Execution(others, cold=False))
        running[-1].start(number, id=f"other {number}")
    assert len(orders) == 1


def test_all_tasks_of_another_loop_are_its_own() -> None:
    async def own() -> bool:
        return (
            asyncio.all_tasks() == asyncio.all_tasks(asyncio.get_running_loop()) == {asyncio.current_task()}
        )

    assert asyncio.run(own())
