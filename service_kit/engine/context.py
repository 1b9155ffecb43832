"""The seam to workflow code: how a task, a workflow or a signal finds the execution that it is used in.

    workflow = current_workflow()
    if workflow is None:
        return await run_the_plain_function()
    return decode(await workflow.schedule_task("charge_card", encode(order_id)))

Everything here takes and gives payloads: who declares a value encodes and decodes it.
"""

from __future__ import annotations

import asyncio
from asyncio.events import _get_running_loop
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Never, TypeVar

from ..errors import TimedOut
from .arrivals import ExecutionStarted
from .calls import (
    AttributeSet,
    CancelSent,
    ChildStarted,
    Emitted,
    EventsEmitted,
    SignalSent,
    StateSet,
    TaskCancelRequested,
    TaskScheduled,
    TerminateSent,
)
from .chance import Chance
from .futures import CallFuture
from .ledger import Ledger
from .loop import WorkflowLoop
from .options import ChildOptions, TaskOptions
from .payload import Payload, call_id, digest
from .signals import Mailbox, SignalHandler

__all__ = ["Child", "OpenCall", "WorkflowContext", "current_workflow", "require_workflow"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Child:
    """A child execution that has been asked for."""

    id: str
    result: asyncio.Future[Payload]
    """Cancelling it asks the child to cancel itself."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A task or child whose answer is awaited."""

    future: CallFuture
    call: TaskScheduled | ChildStarted


class WorkflowContext:
    """What workflow code can ask of its execution. Each call is recorded once, in the order of asking."""

    __slots__ = (
        "_chance",
        "_ledger",
        "_loop",
        "_patches",
        "attributes",
        "children",
        "mailbox",
        "open",
        "started",
        "started_s",
        "successor",
    )

    def __init__(
        self, loop: WorkflowLoop, ledger: Ledger, started: ExecutionStarted, started_s: float
    ) -> None:
        self.started: ExecutionStarted = started
        """The execution's id, workflow, parent, run and input."""
        self.started_s: float = started_s
        self.attributes: dict[str, str] = dict(started.attributes or {})
        """What the execution is found by, as far as it is known here."""
        self.children: dict[str, Child] = {}
        """Those of this run that may be waited for by their ids, the first of each id."""
        self.open: dict[int, OpenCall] = {}
        self.mailbox: Mailbox = Mailbox(loop)
        self.successor: Payload | None = None
        """The input of the run that shall follow this one."""
        self._loop = loop
        self._ledger = ledger
        self._chance = Chance(f"{started.seed}:{started.run}")
        self._patches: dict[str, bool] = {}

    # What the execution knows

    @property
    def id(self) -> str:
        """The execution's id."""
        return self.started.id

    @property
    def replaying(self) -> bool:
        """Whether what happens now has happened before: logs and metrics keep silent."""
        return self._ledger.replaying or self._loop.is_closed()

    def now(self) -> datetime:
        """Return the time of the present turn, in UTC."""
        return datetime.fromtimestamp(self._loop.time(), timezone.utc)  # noqa: UP017 - `UTC` reads as a local name

    def random(self) -> float:
        """Return a float from [0, 1), the same in every replay."""
        return self._chance.number()

    def random_bits(self, count: int) -> int:
        """Return an integer of `count` random bits, the same in every replay."""
        return self._chance.bits(count)

    def uuid4_bytes(self) -> bytes:
        """Return the bytes of a version 4 UUID, the same in every replay."""
        return self._chance.uuid4_bytes()

    def patched(self, id: str) -> bool:
        """Return False where this execution has passed here before the patch was made, True otherwise.

        The answer for an id never changes within an execution.
        """
        known = self._patches.get(id)
        if known is None:
            known = self._patches[id] = self._ledger.mark(id)
        return known

    # Calls

    def schedule_task(
        self, name: str, input: Payload, *, options: TaskOptions | None = None
    ) -> asyncio.Future[Payload]:
        """Schedule a task; the future gives its encoded result or raises its error.

        Cancelling the future tells the task, and its result is then ignored.
        """
        seq = self._ledger.next_seq()
        call = TaskScheduled(seq, name, digest(input), input, options)
        self._ledger.record(call)
        return self._open(call, self._cancel_task)

    def start_child(self, name: str, input: Payload, *, options: ChildOptions | None = None) -> Child:
        """Start a child workflow."""
        options = options or ChildOptions()
        seq = self._ledger.next_seq()
        child_id = options.id or self._call_id(seq)
        call = ChildStarted(
            seq,
            name,
            digest(input),
            input,
            child_id,
            options.parent_close,
            options.timeout_s,
            options.start_delay_s,
            options.attributes or None,
        )
        # What it was started with holds for it, whatever the code says today.
        return Child(child_id, self._open(self._ledger.record(call), self._cancel_child))

    def send_signal(self, target: str, name: str, payload: Payload, *, id: str | None = None) -> None:
        """Send a signal to the execution `target`; it arrives there once, and once for all that have its `id`."""
        seq = self._ledger.next_seq()
        self._ledger.record(SignalSent(seq, name, digest(payload), payload, target, id or self._call_id(seq)))

    def emit(self, events: Sequence[tuple[str, Payload]]) -> None:
        """Publish events, each a name and a payload, in order."""
        seq = self._ledger.next_seq()
        emitted = tuple(
            Emitted(f"{self._call_id(seq)}.{index}", name, payload)
            for index, (name, payload) in enumerate(events)
        )
        names = ",".join(name for name, _ in events)
        args_hash = digest("\n".join(payload for _, payload in events))
        self._ledger.record(EventsEmitted(seq, names, args_hash, emitted))

    def set_state(self, name: str, payload: Payload) -> None:
        """Publish a state, which can be read from outside."""
        self._ledger.record(StateSet(self._ledger.next_seq(), name, digest(payload), payload))

    def set_attribute(self, name: str, value: str | None) -> None:
        """Let the execution be found by an attribute; None: not any more."""
        if value is None:
            self.attributes.pop(name, None)
        else:
            self.attributes[name] = value
        args_hash = "" if value is None else digest(value)
        self._ledger.record(AttributeSet(self._ledger.next_seq(), name, args_hash, value))

    def cancel_execution(self, target: str, reason: str = "") -> None:
        """Ask another execution to cancel itself."""
        self._ledger.record(CancelSent(self._ledger.next_seq(), target, reason))

    def terminate_execution(self, target: str, reason: str = "") -> None:
        """End another execution at once."""
        self._ledger.record(TerminateSent(self._ledger.next_seq(), target, reason))

    # Waiting

    async def receive_signal(self, name: str, *, timeout_s: float | None = None) -> Payload:
        """Take the oldest signal of this name. Raises `TimedOut`."""
        return await self._within(timeout_s, self.mailbox.receive(name), f"signal '{name}' did not arrive")

    def on_signal(self, name: str, handler: SignalHandler) -> Callable[[], None]:
        """Call `handler` with every signal of this name, first with those that wait; return what ends it."""
        return self.mailbox.on(name, handler)

    async def condition(self, predicate: Callable[[], bool], *, timeout_s: float | None = None) -> None:
        """Wait until `predicate()` is true; it is asked whenever the workflow has done something.

        Raises `TimedOut`, and whatever the predicate raises.
        """
        if not predicate():
            await self._within(timeout_s, self._wait_for(predicate), "the condition did not hold")

    async def continue_as_new(self, input: Payload) -> Never:
        """End this run here, and begin the execution again with `input` and an empty history.

        Nothing after it runs, `finally` blocks included; signals that were not used are handed on.
        """
        if not self._ledger.stopped:
            self.successor = input
            self._ledger.stopped = True
        await self._loop.create_future()
        raise AssertionError("the future of an ended run was resolved")

    def _open(self, call: TaskScheduled | ChildStarted, tell: Callable[[int], None]) -> CallFuture:
        future = self._loop.create_call_future(call.seq, tell)
        self.open[call.seq] = OpenCall(future, call)
        return future

    def _cancel_task(self, seq: int) -> None:
        opened = self.open.pop(seq)
        self._ledger.record(TaskCancelRequested(self._ledger.next_seq(), seq, opened.call.name))

    def _cancel_child(self, seq: int) -> None:
        call = self.open.pop(seq).call
        assert isinstance(call, ChildStarted), f"call {seq} started no child"
        self.cancel_execution(call.id, "the parent does not wait for it any more")

    async def _wait_for(self, predicate: Callable[[], bool]) -> None:
        future = self._loop.create_future()
        self._loop.conditions[future] = predicate
        try:
            await future
        finally:
            self._loop.conditions.pop(future, None)

    async def _within(self, timeout_s: float | None, awaitable: Awaitable[T], what: str) -> T:
        if timeout_s is None:
            return await awaitable
        limit = asyncio.timeout(timeout_s)
        try:
            async with limit:
                return await awaitable
        except TimeoutError as error:
            if limit.expired():
                raise TimedOut(f"{what} within {timeout_s:g} s") from error
            raise

    def _call_id(self, seq: int) -> str:
        return call_id(self.started.id, self.started.run, seq)


def current_workflow() -> WorkflowContext | None:
    """Return the workflow execution that this code runs in, or None outside of one."""
    loop = _get_running_loop()
    workflow = loop.workflow if isinstance(loop, WorkflowLoop) else None
    return workflow if isinstance(workflow, WorkflowContext) else None


def require_workflow(what: str) -> WorkflowContext:
    """Return the workflow execution that this code runs in; raise if there is none, naming `what` needs it."""
    workflow = current_workflow()
    if workflow is None:
        raise RuntimeError(f"{what} works inside a workflow only; call it from a function marked @workflow")
    return workflow
