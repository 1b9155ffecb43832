"""A stack on which things go wrong, and what must be true of it afterwards."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from service_kit.contract.gather import Declarations
from service_kit.deploy import Deployment, DeploymentOptions
from service_kit.hosts.aws.gateway import AwsGateway, gateway_of
from service_kit.hosts.aws.host import AwsHost
from service_kit.hosts.aws.management import AwsManagement, management_of
from service_kit.runtime.records import ExecutionQuery
from service_kit.testing.simulation.chances import Chances
from service_kit.testing.simulation.client import Client, Face
from service_kit.testing.simulation.invariants import compare
from service_kit.testing.simulation.programs import Scenario, scenario, walk
from service_kit.testing.simulation.simulation import expected
from tests.aws.emulator import Emulator
from tests.aws.injection import HAPPENED, HELD, VARIABLE
from tests.aws.lanes import REST_S
from tests.aws.mapping import Mappings
from tests.aws.simulated import Simulated
from tests.aws.stacks import RUNTIME, Stack, stack
from tests.aws.witness import Witness

T = TypeVar("T")

FUNCTION_S = 10
"""No function runs longer: so long does a claim hold whose function has died."""
SKEW_S = 0.9
"""How far the clock of each function is off, at most: two differ by less than the time that a function stops early."""
FAULTS_S = 10.0
"""Faults stop after so long."""
PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class Caller:
    """A program outside of all functions, which nothing happens to."""

    gateway: AwsGateway
    management: AwsManagement

    async def ask(self, request: Callable[[Face], Awaitable[T]]) -> T:
        return await request(self)


class Hasty(Chances):
    """Lets the client rest a sixteenth as long, and send each signal twice: here time is real."""

    def next_number(self, what: str) -> float:
        return super().next_number(what) / 4


@dataclass(frozen=True, slots=True)
class Ordeal:
    """A deployed service whose functions meet with faults."""

    stack: Stack
    mapping: Mappings
    host: AwsHost
    faults: Path

    @property
    def caller(self) -> Caller:
        gateway = gateway_of(self.host)
        return Caller(gateway, management_of(self.host, gateway))

    @property
    def declarations(self) -> Declarations:
        return self.host.declarations

    @property
    def held(self) -> Path:
        """The file with a request that a function had signed when it died."""
        return self.faults.with_name(HELD)

    @contextmanager
    def going_wrong(self, **chances: float) -> Generator[None, None, None]:
        """Let faults happen; `_` stands for a space in their names."""
        told = {name.replace("_", " "): chance for name, chance in chances.items()}
        self._tell({"skew_s": SKEW_S, **told})
        try:
            yield
        finally:
            self._tell({"skew_s": SKEW_S})

    def happened(self) -> Counter[str]:
        """Return how often which fault has happened, on this stack."""
        file = self.faults.with_name(HAPPENED)
        inside = file.read_text().splitlines() if file.exists() else []
        return Counter(inside) + self.mapping.disorder.happened

    async def endure(self, name: str, seeds: Iterable[int], **chances: float) -> list[str]:
        """Let scenarios be performed while things go wrong; return what does not hold afterwards."""
        acted = [_named(name, seed) for seed in seeds]
        witness, outcomes = Witness(self.host, SKEW_S), dict[str, str | None]()
        for one in acted:
            outcomes |= expected(one)
        caller = self.caller
        with self.going_wrong(**chances):
            async with asyncio.TaskGroup() as group:
                for number, one in enumerate(acted):
                    client = Client(caller, Hasty(number, calm=True), witness.world)
                    group.create_task(client.perform(one))
            await self.ended(witness, FAULTS_S)
        if not await self.ended(witness, PATIENCE_S):
            witness.world.violate("everything ends", "something is left to be done")
        found = await witness.executions()
        compare(witness.world, {id: found[id] for id in found if id.startswith(name)}, outcomes)
        return await witness.violations(self.declarations)

    async def ended(self, witness: Witness, patience_s: float) -> bool:
        """Wait until nothing is left to be done; tell the witness what has happened until then."""
        self.mapping.check()
        try:
            async with asyncio.timeout(patience_s):
                while not await self._is_over(witness):
                    self.mapping.check()
                    await asyncio.sleep(0.2)
        except TimeoutError:
            return False
        return True

    async def _is_over(self, witness: Witness) -> bool:
        page = await self.host.store.index.list(ExecutionQuery(status="running", limit=1))
        looks = self.mapping.looks
        while self.mapping.looks < looks + 2:
            # What was in the table until now has been read when a look that began after it found nothing more.
            self.mapping.check()
            await asyncio.sleep(REST_S)
        await witness.hear_all(self.mapping.records)
        return not page.executions and not witness.unheard()

    def _tell(self, chances: dict[str, float]) -> None:
        # In one step: functions read it at any time.
        written = self.faults.with_suffix(".new")
        written.write_text(json.dumps(chances))
        written.replace(self.faults)


@contextmanager
def ordeal(
    emulator: Emulator, name: str, folder: Path, function_s: int = FUNCTION_S
) -> Generator[Ordeal, None, None]:
    """Deploy the programs of the simulator, with clocks that differ."""
    faults = folder / "faults.json"
    options = DeploymentOptions(
        runtime=RUNTIME, mcp=False, alarms=False, tracing=False, environment={VARIABLE: str(faults)}
    )
    deployment = Deployment(Simulated, options)
    with (
        stack(
            emulator.environment["AWS_ENDPOINT_URL"], deployment, name, function_s=function_s, sources=False
        ) as made,
        Mappings(made) as mapping,
    ):
        host = made.host()
        made_ordeal = Ordeal(made, mapping, host, faults)
        try:
            with made_ordeal.going_wrong():
                yield made_ordeal
        finally:
            host.close()


def brief(count: int) -> Sequence[int]:
    """Return seeds of scenarios in which nothing takes long: here time is real."""
    found: list[int] = []
    seed = 0
    while len(found) < count:
        seed += 1
        roots = scenario(seed).roots
        steps = [step for root in roots for step in walk(root.program)]
        slow = any(
            step.seconds > 3 or (step.op in ("sleep", "too_late", "dropped") and step.amount > 2)
            for step in steps
        )
        if not slow and len(steps) > 4 and all(root.begin_s <= 1 for root in roots):
            found.append(seed)
    return found


def _named(name: str, seed: int) -> Scenario:
    """Return a scenario under names of its own: a program knows its place by the number at the end of its id."""
    acted = scenario(seed)
    return replace(
        acted,
        roots=tuple(replace(root, id=f"{name}{seed}.{root.program.node}") for root in acted.roots),
        emits=0,
    )
