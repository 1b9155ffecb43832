"""What may go wrong on AWS, and the network on which it does: every call of a client passes it.

botocore asks again what got no answer or was throttled ("Retries", boto3's guide), so that a call may be performed
twice of which the caller sees one answer; and it gives up in the end, so that nobody knows what was performed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from service_kit.stores.dynamodb.keys import PK, SK
from service_kit.testing.simulation.aws.errors import AwsError, NoAnswer, Unmodelled
from service_kit.testing.simulation.chances import Chances, Drawn, Fault
from service_kit.testing.simulation.loop import PROCESS, Process, SimulatedLoop

T = TypeVar("T")

STAGES: Mapping[str, tuple[Fault, ...]] = {
    "before": ("fails", "dies", "slow", "freezes"),
    "after": ("reply lost", "dies", "slow", "freezes"),
    "batch": ("partly",),
    "index": ("late",),
    "stream": ("doubled", "late", "lost", "fails"),
    "queue": ("doubled", "late"),
    "bus": ("doubled", "late"),
    "schedule": ("late",),
    "invocation": ("fails", "reply lost", "dies"),
    "death": ("dies",),
    "freeze": ("freezes",),
    "clock": ("jumps",),
}
"""When faults happen: around a call of AWS, to a part of a batch, to what an index, the stream, a queue, the bus and
the scheduler bring, to an invocation, once in the life of an instance, and to its clock."""

READ_TIMEOUT_S = 5.0
FREEZE_S = 40.0
ASKED_AGAIN = 4
"""How often botocore sends a call that gets no answer."""
GIVES_UP = 0.3
"""Of the calls that fail, those at which it loses patience at once."""

CALL: ContextVar[str | None] = ContextVar("simulated_call", default=None)
"""What names the call that is being made, however often it is sent."""


class AwsLoop(SimulatedLoop):
    """A loop on which boto3's threads are trips through the simulated network."""

    network: Network

    def hold(self, process: Process) -> None:
        """Freeze a process until it is released."""
        if process.held is None:
            process.held = []

    def release(self, process: Process) -> None:
        if process.held is not None:
            self._thaw(process)

    def run_in_executor(  # type: ignore[override]  # typeshed ties the function to its arguments
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        # Not a task's own future: a thread goes on when its caller is cancelled, and so does the call.
        answer: asyncio.Future[T] = self.create_future()
        self.create_task(self._carry(answer, partial(func, *args)))
        return answer

    async def _carry(self, answer: asyncio.Future[T], call: Callable[[], T]) -> None:
        try:
            value = await self.network.trip(call)
        except Exception as error:  # noqa: BLE001 - it is the caller's
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(value)


@dataclass(slots=True)
class Network:
    """Draws a fault before and after each call."""

    loop: SimulatedLoop
    chances: Chances
    trace: Callable[[str], None]
    refused: Exception | None = None
    """What the simulated AWS does not know, or DynamoDB takes from nobody: the run is worth nothing then."""
    _calls: int = 0

    async def trip(self, call: Callable[[], T]) -> T:
        """Make a call as botocore does: perhaps more than once."""
        self._calls += 1
        CALL.set(f"call {self._calls}")
        name = name_of(call)
        for left in reversed(range(ASKED_AGAIN)):
            await asyncio.sleep(0.002 * self.chances.next_number("latency"))
            if (drawn := await self._meet("before", name)) is not None:
                if left and drawn.amount > GIVES_UP:
                    await asyncio.sleep(0.5 * drawn.amount)
                    continue
                raise _refusal(name, drawn)
            value, error = self._performed(call, name)
            if (drawn := await self._meet("after", name)) is not None:
                await asyncio.sleep(READ_TIMEOUT_S)
                if left and drawn.amount > GIVES_UP:
                    continue
                raise NoAnswer(f"{name} was not answered in time")
            if error is not None:
                raise error
            return value[0]
        raise AssertionError("the last try raises or returns")

    def _performed(self, call: Callable[[], T], name: str) -> tuple[list[T], AwsError | None]:
        try:
            value = call()
        except AwsError as error:
            if error.response["Error"]["Code"] == "ValidationException":
                self.refused = error
            self._say(f"{name}{_places(call)}: {error.response['Error']['Code']}")
            return [], error
        except Unmodelled as error:
            self.refused = error
            raise
        self._say(f"{name}{_places(call)}")
        return [value], None

    def _say(self, what: str) -> None:
        process = PROCESS.get()
        self.trace(what if process is None else f"{process.name}: {what}")

    async def _meet(self, stage: str, name: str) -> Drawn | None:
        """Let a fault happen; return one that the caller is to hear of."""
        drawn = self.chances.draw(stage)
        if drawn is None:
            return None
        self._say(f"{stage} {name}: {drawn.fault}")
        process = PROCESS.get()
        match drawn.fault:
            case "fails" | "reply lost":
                return drawn
            case "slow":
                await asyncio.sleep(READ_TIMEOUT_S * drawn.amount)
            case "dies" if process is not None:
                self.loop.kill(process)
                await asyncio.sleep(0)
            case "freezes" if process is not None:
                self.loop.freeze(process, FREEZE_S * drawn.amount)
                await asyncio.sleep(0)
            case _:
                pass
        return None


def name_of(call: Callable[..., Any]) -> str:
    """Return the name of what a call is, for the trace."""
    inner: Any = call
    while isinstance(inner, partial):
        # `asyncio.to_thread` runs a partial of the context's own `run`.
        run = getattr(inner.func, "__name__", "") == "run"
        inner = inner.args[0] if run and inner.args else inner.func
    return str(getattr(inner, "__name__", inner))


def _places(call: Callable[..., Any]) -> str:
    """Return which items a call is about, for the trace."""
    request: dict[str, Any] = call.keywords if isinstance(call, partial) else {}
    writes = [write for action in request.get("TransactItems", ()) for write in action.values()]
    keys = [each.get("Key", each.get("Item")) for each in (writes or [request])]
    return "".join(f" {key[PK]['S']}/{key[SK]['S']}" for key in keys if key)


def _refusal(name: str, drawn: Drawn) -> AwsError:
    """Return an error that callers see when botocore has given up, or that it never repeats."""
    if drawn.amount < GIVES_UP / 3 and name == "transact_write_items":
        return AwsError("TransactionCanceledException", "Transaction cancelled", ["TransactionConflict"])
    if drawn.amount < GIVES_UP / 3 and name in ("put_item", "update_item", "delete_item"):
        return AwsError("TransactionConflictException", "Transaction is ongoing for the item")
    return AwsError("ThrottlingException", "Rate exceeded")
