"""A workflow that begins every minute, for the share of the simulations that has schedules."""

from __future__ import annotations

import itertools
from datetime import datetime

from service_kit.contract.workflow import workflow
from service_kit.testing.simulation.invariants import Executions
from service_kit.testing.simulation.service import Simulated, work
from service_kit.testing.simulation.world import World

MINUTE_S = 60.0
LATE_S = 15.0
"""A run is there so long after its time, when nothing fails: a lost wake-up costs two looks."""


@workflow(cron="* * * * *", overlap="allow", catch_up_s=86_400)
async def minutely() -> str:
    return await work(0, 0, 0.0)


class Scheduled(Simulated):
    """Programs made at random, and a schedule beside them."""

    minutely = minutely


def check_minutes(world: World, found: Executions) -> None:
    """Report times that were left out, and runs that did not end well. None is run twice: their ids are their times."""
    times: list[float] = []
    for name, stored in found.items():
        if stored.record.workflow != minutely.name:
            continue
        times.append(datetime.fromisoformat(name.partition("@")[2]).timestamp())
        if stored.record.status != "succeeded":
            world.violate("each time is run", f"'{name}' is {stored.record.status}")
    times.sort()
    gaps = [after - before for before, after in itertools.pairwise(times)]
    if set(gaps) - {MINUTE_S}:
        world.violate("each time is run", f"between the runs of a minutely schedule lie {gaps} s")
    if not times or times[-1] < world.now_s() - MINUTE_S - LATE_S:
        world.violate("each time is run", f"the last runs were {times[-3:]}, and it is {world.now_s()}")
