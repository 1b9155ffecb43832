"""The gate of a simulation: store methods that fail, are slow, or end the process that called them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from service_kit.testing.simulation.chances import Chances
from service_kit.testing.simulation.loop import PROCESS, SimulatedLoop
from service_kit.testing.simulation.world import World

SLOWEST_S = 40.0
"""Longer than a lease."""


class StoreUnavailable(Exception):
    """What callers of a failing store see."""


@dataclass(slots=True)
class FaultyGate:
    """Draws a fault before and after each method; tells the world what the store really took."""

    loop: SimulatedLoop
    chances: Chances
    world: World
    trace: Callable[[str], None]
    tells: bool = True
    """Whether it tells the world; not of stores that do so themselves."""

    async def pass_through(
        self, point: str, write: Callable[[], Awaitable[Any]], args: tuple[Any, ...]
    ) -> Any:
        await asyncio.sleep(0.002 * self.chances.next_number("latency"))
        await self._meet("before", point)
        result = await write()
        if self.tells:
            self.world.took(point, args, result)
        self.trace(f"{point} {result!r}" if isinstance(result, bool) else point)
        await self._meet("after", point)
        return result

    async def _meet(self, stage: str, point: str) -> None:
        drawn = self.chances.draw(stage)
        if drawn is None:
            return
        self.trace(f"{stage} {point}: {drawn.fault}")
        match drawn.fault:
            case "fails" | "reply lost":
                raise StoreUnavailable(f"{point}: {drawn.fault}")
            case "dies":
                process = PROCESS.get()
                if process is not None:
                    self.loop.kill(process)
                    await asyncio.sleep(0)
            case "freezes":
                process = PROCESS.get()
                if process is not None:
                    self.loop.freeze(process, SLOWEST_S * drawn.amount)
                    await asyncio.sleep(0)
            case "slow":
                await asyncio.sleep(SLOWEST_S * drawn.amount**3)
            case _:
                raise AssertionError(f"{drawn.fault} is no fault of a store")
