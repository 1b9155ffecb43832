"""The client of a simulated service: asks, and asks again until it is told that what it asked for is kept."""

from __future__ import annotations

import asyncio
import functools
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from client_kit.executions import StartOptions
from service_kit.errors import ExecutionExists, ExecutionNotFound
from service_kit.runtime.gateway import RuntimeGateway
from service_kit.runtime.management import RuntimeManagement
from service_kit.testing.simulation.chances import Chances
from service_kit.testing.simulation.cluster import Disconnected
from service_kit.testing.simulation.faults import StoreUnavailable
from service_kit.testing.simulation.programs import Message, Root, Scenario, fork_id, messages
from service_kit.testing.simulation.service import Happened, program
from service_kit.testing.simulation.world import World

T = TypeVar("T")

PATIENCE_S = 30.0
AGAIN_S = 0.5
FORK_TRIES = 5


class Face(Protocol):
    """What a process of the service offers."""

    @property
    def gateway(self) -> RuntimeGateway: ...

    @property
    def management(self) -> RuntimeManagement: ...


class Reachable(Protocol):
    """Where the service is: a simulated cluster, or a real one."""

    async def ask(self, request: Callable[[Face], Awaitable[T]]) -> T:
        """Ask one of its processes; raise Disconnected if it dies meanwhile, or whatever it raises."""
        ...


@dataclass(frozen=True, slots=True)
class Client:
    """Performs a scenario from outside."""

    cluster: Reachable
    chances: Chances
    world: World

    async def perform(self, scenario: Scenario) -> None:
        """Start, signal, pause and cancel what the scenario says; return when all of it is acknowledged."""
        async with asyncio.TaskGroup() as group:
            for root in scenario.roots:
                group.create_task(self._drive(root))
            for number in range(scenario.emits):
                group.create_task(self._emit(f"client/{number}"))

    async def _drive(self, root: Root) -> None:
        await asyncio.sleep(root.begin_s)
        starts = [self._start(root) for _ in range(2 if root.twice else 1)]
        await asyncio.gather(*starts)
        async with asyncio.TaskGroup() as group:
            for stream in _streams(root):
                group.create_task(self._send(stream))
            if root.forked:
                group.create_task(self._fork(root))
            if root.pauses_s:
                group.create_task(self._pause(root))
            if root.end != "by itself":
                group.create_task(self._end(root))

    async def _start(self, root: Root) -> None:
        payload = program.calls.encode_arguments({"id": root.id, "step": root.program, "done": ""})
        options = StartOptions(id=root.id)
        await self._ask(lambda face: face.gateway.start(program.name, payload, options))
        self.world.acknowledged["start"].append(root.id)

    async def _send(self, stream: list[Message]) -> None:
        for message in stream:
            await asyncio.sleep(8 * self.chances.next_number("signals") ** 2)
            await self._signal(message)
            if self.chances.next_number("signals") < 0.2:
                # A reply that was lost makes people ask again, perhaps when the signal was used long ago.
                await asyncio.sleep(8 * self.chances.next_number("signals") ** 2)
                await self._signal(message)
            if not message.fork:  # which may have no use for it, if it is one of a later run
                self.world.acknowledged["signal"].append(message.id)

    async def _signal(self, message: Message) -> None:
        payload = f'"{message.payload}"'
        await self._ask(
            lambda face: face.gateway.signal(
                message.fork or message.execution, message.name, payload, message.id
            )
        )

    async def _fork(self, root: Root) -> None:
        """Fork it from a turn that it has, and tell the fork what the root is told."""
        new_id = fork_id(root.id)
        for _ in range(FORK_TRIES):
            await asyncio.sleep(6 * self.chances.next_number("fork"))
            share = self.chances.next_number("fork")
            # As with pauses: a fork that is made after it was given up would never be told anything.
            if await self._ask(functools.partial(_forked, root.id, share, new_id), None):
                self.world.acknowledged["start"].append(new_id)
                async with asyncio.TaskGroup() as group:
                    for stream in _streams(root):
                        group.create_task(self._send([replace(each, fork=new_id) for each in stream]))
                return

    async def _pause(self, root: Root) -> None:
        # Whoever gives up waiting may be overtaken: a process that was frozen would pause it after it was resumed.
        await asyncio.sleep(2 * self.chances.next_number("pause"))
        await self._ask(lambda face: face.management.pause(root.id, "by hand"), None)
        await asyncio.sleep(root.pauses_s)
        await self._ask(lambda face: face.management.pause(root.id, None), None)

    async def _end(self, root: Root) -> None:
        await asyncio.sleep(4 * self.chances.next_number("end"))
        if root.end == "cancel":
            await self._ask(lambda face: face.gateway.cancel(root.id, "by hand"))
        else:
            await self._ask(lambda face: face.gateway.terminate(root.id, "by hand"))

    async def _emit(self, what: str) -> None:
        payload = Happened(what=what).model_dump_json()
        await self._ask(lambda face: face.gateway.emit([(Happened.event_name, payload)]))
        self.world.acknowledged["event"].append(what)

    async def _ask(self, request: Callable[[Face], Awaitable[T]], patience_s: float | None = PATIENCE_S) -> T:
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    return await self.cluster.ask(request)
            except (StoreUnavailable, Disconnected, TimeoutError, ExecutionNotFound):
                await asyncio.sleep(AGAIN_S + self.chances.next_number("again"))


def _streams(root: Root) -> list[list[Message]]:
    """Return the signals that a root waits for, those of one name in their order."""
    streams: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in messages(root.id, root.program):
        streams[message.execution, message.name].append(message)
    return list(streams.values())


async def _forked(id: str, share: float, new_id: str, face: Face) -> bool:
    """Fork an execution from some turn; return whether the fork is there."""
    turns = [event for event in await face.gateway.history(id) if event["kind"] == "TurnStarted"]
    try:
        await face.management.fork(id, 1 + int(share * len(turns)), new_id)
    except ExecutionExists:
        return True
    except ValueError:  # its first turn is its end, or it has begun another run meanwhile
        try:
            await face.gateway.describe(new_id)
        except ExecutionNotFound:
            return False
    return True
