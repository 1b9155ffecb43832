"""Lambda: instances of functions, of which each handles one invocation at a time and keeps its memory between them.

As the developer guide has it: an instance is frozen between invocations ("Lambda execution environment lifecycle"),
reused as long as it pleases, and ended by force when an invocation takes too long ("Configure Lambda function
timeout"); there are as many side by side as there is work ("Understanding Lambda function scaling"), up to a limit.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from service_kit.contract.service import Service
from service_kit.hosts.aws.host import AwsHost, Settings
from service_kit.hosts.aws.loop import STOP_BEFORE_S
from service_kit.testing.simulation.aws.faults import FREEZE_S, AwsLoop
from service_kit.testing.simulation.chances import Chances
from service_kit.testing.simulation.cluster import STEPS_MOST, Disconnected, WallClock
from service_kit.testing.simulation.loop import PROCESS, Process

T = TypeVar("T")
F = TypeVar("F")

SKEW_MOST_S = 2.0
"""How far a clock is off: two of them differ by twice as much, which is less than functions allow for."""


class SimulatedHost(AwsHost):
    """The parts of one instance, whose ids and chances are the seed's."""

    def __init__(
        self,
        service: type[Service],
        settings: Settings,
        client: Callable[[str], Any],
        clock: WallClock,
        numbers: random.Random,
    ) -> None:
        super().__init__(service, settings, client, clock)
        self._numbers = numbers

    def new_id(self) -> str:
        return f"{self._numbers.getrandbits(64):016x}"

    def random(self) -> float:
        return self._numbers.random()


@dataclass(slots=True)
class Request:
    """One invocation as its function sees it: what a handler reads of its context."""

    loop: AwsLoop
    aws_request_id: str
    ends_s: float

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends_s - self.loop.time()) * 1_000)


@dataclass(slots=True, eq=False)
class Instance(Generic[F]):
    """One execution environment."""

    process: Process
    function: F
    answer: asyncio.Future[Any] | None = None


@dataclass(slots=True)
class Lambda:
    """What all functions of a deployment share."""

    loop: AwsLoop
    chances: Chances
    trace: Callable[[str], None]
    host: Callable[[WallClock, random.Random], AwsHost]
    outside: contextvars.Context
    """The context of what belongs to no instance."""
    requests: dict[str, Process] = field(default_factory=dict[str, Process])
    """Which instance each invocation was given to."""

    def clock(self) -> WallClock:
        skew_s = 0.0
        if (drawn := self.chances.draw("clock")) is not None:
            skew_s = SKEW_MOST_S * (2 * drawn.amount - 1)
        return WallClock(self.loop, skew_s)


@dataclass(slots=True)
class Pool(Generic[F]):
    """The instances of one function."""

    cloud: Lambda
    name: str
    timeout_s: float
    most: int
    """Side by side."""
    make: Callable[[AwsHost, Process], F]
    skewed: bool = True
    """Whether clocks of its instances differ."""
    idle: list[Instance[F]] = field(default_factory=list["Instance[F]"])
    busy: int = 0
    _made: int = 0
    _requests: int = 0

    async def invoke(self, work: Callable[[F, Request], Awaitable[T]]) -> T:
        """Let an instance work; raise Disconnected if it dies, or none may begin, and whatever it raises."""
        drawn = self.cloud.chances.draw("invocation")
        if self.busy >= self.most or (drawn is not None and drawn.fault == "fails"):
            self.cloud.trace(f"{self.name} is throttled")
            raise Disconnected
        if drawn is not None and drawn.fault == "dies":
            self.idle.clear()  # environments are let go of now and then, all at once with a deployment
        instance = self._instance()
        self.busy += 1
        try:
            value = await self._run(instance, work)
        finally:
            self.busy -= 1
            if not instance.process.dead:
                self._rest(instance)
        if drawn is not None and drawn.fault == "reply lost":
            raise Disconnected
        return value

    async def _run(self, instance: Instance[F], work: Callable[[F, Request], Awaitable[T]]) -> T:
        loop, self._requests = self.cloud.loop, self._requests + 1
        request = Request(loop, f"{self.name}-{self._requests}", loop.time() + self.timeout_s)
        answer: asyncio.Future[T] = loop.create_future()
        instance.answer = answer
        self.cloud.requests[request.aws_request_id] = instance.process

        async def serve() -> None:
            try:
                value = await work(instance.function, request)
            except asyncio.CancelledError:
                _end(answer, Disconnected())
            except Exception as error:  # noqa: BLE001 - it travels to whoever has called
                _end(answer, error)
            else:
                if not answer.done():
                    answer.set_result(value)

        context = self.cloud.outside.copy()
        context.run(PROCESS.set, instance.process)
        task = loop.create_task(serve(), context=context)
        alarms = [
            # The handler's own loop stops shortly before the platform does: it is a part of the instance.
            loop.call_later(self.timeout_s - STOP_BEFORE_S, task.cancel, context=context),
            loop.call_later(self.timeout_s, self._kill, instance, context=self.cloud.outside),
        ]
        try:
            return await answer
        finally:
            for alarm in alarms:
                alarm.cancel()

    def _instance(self) -> Instance[F]:
        if self.idle:
            number = int(len(self.idle) * self.cloud.chances.next_number("warm"))
            instance = self.idle.pop(number)
            self.cloud.loop.release(instance.process)
            return instance
        return self._begin()

    def _rest(self, instance: Instance[F]) -> None:
        instance.answer = None
        self.cloud.loop.hold(instance.process)
        self.idle.append(instance)

    def _begin(self) -> Instance[F]:
        self._made += 1
        process = Process(f"{self.name}{self._made}")
        chances = self.cloud.chances
        if (drawn := chances.draw("death")) is not None:
            process.dies_at_step = 1 + int(STEPS_MOST * drawn.amount**2)
        if (drawn := chances.draw("freeze")) is not None:
            process.freezes_at_step = 1 + int(STEPS_MOST * drawn.amount**2)
            process.freezes_for_s = FREEZE_S
        numbers = random.Random(f"{chances.seed} {process.name}")  # noqa: S311 - reproducible, not secret
        clock = self.cloud.clock() if self.skewed else WallClock(self.cloud.loop)
        host = self.cloud.host(clock, numbers)
        instance = Instance(process, self.make(host, process))
        process.on_death.append(lambda: self._died(instance))
        self.cloud.trace(f"{process.name} begins")
        return instance

    def _kill(self, instance: Instance[F]) -> None:
        self.cloud.trace(f"{instance.process.name} takes too long")
        if not instance.process.dead:
            self.cloud.loop.kill(instance.process)

    def _died(self, instance: Instance[F]) -> None:
        self.cloud.trace(f"{instance.process.name} dies")
        if instance in self.idle:
            self.idle.remove(instance)
        if instance.answer is not None:
            _end(instance.answer, Disconnected())


def _end(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
