"""A workflow that begins every minute, for the share of the simulations that has schedules."""

from __future__ import annotations

import itertools
import math
from datetime import datetime

from service_kit.contract.schedule import SCHEDULER
from service_kit.contract.workflow import workflow
from service_kit.testing.simulation.cluster import FREEZE_S
from service_kit.testing.simulation.invariants import Executions
from service_kit.testing.simulation.service import Simulated, work
from service_kit.testing.simulation.world import World

MINUTE_S = 60.0
LATE_S = 15.0 + FREEZE_S
"""A run is there so long after its time: a lost wake-up costs two looks, and who should look may be frozen by then."""


@workflow(cron="* * * * *", overlap="allow", catch_up_s=86_400)
async def minutely() -> str:
    return await work(0, 0, 0.0)


class Scheduled(Simulated):
    """Programs made at random, and a schedule beside them."""

    minutely = minutely


def check_minutes(world: World, found: Executions) -> None:
    """Report times that were left out, and runs that did not end well. None is run twice: their ids are their times."""
    times: list[float] = []
    since_s = math.inf
    for name, stored in found.items():
        if stored.record.workflow == SCHEDULER:
            since_s = stored.record.created_at_s
        if stored.record.workflow != minutely.name:
            continue
        times.append(datetime.fromisoformat(name.partition("@")[2]).timestamp())
        if stored.record.status != "succeeded":
            world.violate("each time is run", f"'{name}' is {stored.record.status}")
    times.sort()
    gaps = [after - before for before, after in itertools.pairwise(times)]
    if set(gaps) - {MINUTE_S}:
        world.violate("each time is run", f"between the runs of a minutely schedule lie {gaps} s")
    last_s = (world.now_s() - LATE_S) // MINUTE_S * MINUTE_S
    if since_s == math.inf:
        world.violate("each time is run", "nothing looks after the schedule")
    elif since_s < last_s and last_s not in times:
        world.violate("each time is run", f"the last runs were {times[-3:]}, and it is {world.now_s()}")
