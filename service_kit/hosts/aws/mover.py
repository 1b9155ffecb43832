"""Moving executions within an invocation: turns, what follows from them, and inline tasks, until nothing is due."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from service_kit.hosts.aws.dispatch import Dispatch
from service_kit.hosts.aws.doubt import Doubt, Sure, used_keys
from service_kit.hosts.aws.host import AwsHost
from service_kit.hosts.aws.inline import Inline
from service_kit.messaging.timers import Wake
from service_kit.runtime.dispatcher import Dispatcher
from service_kit.runtime.incoming import Incoming
from service_kit.runtime.orchestrator import Orchestrator
from service_kit.runtime.ports import ClaimLost, Conflict
from service_kit.runtime.records import CancelTask, Claim, Effect, ScheduleTask, TurnCommit
from service_kit.runtime.tokens import TaskTokens
from service_kit.runtime.warm import WarmExecutions
from service_kit.stores.dynamodb.items import STARTED, Chunk, effects_of

logger: logging.Logger = logging.getLogger("service_kit.lambda")

WARM_MOST = 1_000
"""Executions kept in memory between invocations."""
TRIES = 5
"""How often a turn is taken anew when others take turns of the same execution."""
LATER_S = 60.0
"""How long after a failure the timer queue tries it again."""
FIRST = (0, 0)
"""Run and turn."""
LOOKED_BACK = 25
"""Turns among which the one is sought at first that has used what comes a second time."""


class Mover:
    """Takes turns as `Orchestrator` does, and dispatches what they ask for before it goes on.

    An invocation that dies between a commit and its dispatch leaves a turn whose effects have not happened. What woke
    it comes again, and the turn that has used it is dispatched again, with all later ones. Inline tasks that died with
    it go to their queues when it must be over.
    """

    def __init__(self, host: AwsHost, tokens: TaskTokens, context: contextvars.Context) -> None:
        self._host = host
        self._dispatch = Dispatch(host)
        self.inline: Inline = Inline(host, self._dispatch, tokens)
        self._context = context
        dispatcher = Dispatcher(host.declarations, self.inline)
        self._committed: dict[str, list[TurnCommit]] = {}
        self._dispatched: OrderedDict[str, Sure] = OrderedDict()
        self._orchestrator = Orchestrator(
            host.store.executions,
            self.inline.tasks,
            WarmExecutions(host.declarations, WARM_MOST),
            dispatcher,
            host.clock,
            self._keep,
            lambda _, __: None,
            self._context.copy,
        )

    def begin_invocation(self, owner: str, remaining_s: float) -> None:
        """Say who works now, and how long he can."""
        self.inline.owner, self.inline.ends_at_s = owner, self._host.clock.now_s() + remaining_s

    async def move(self, id: str, incoming: Sequence[Incoming] = (), doubt: Doubt | None = None) -> None:
        """Let an execution go on as far as it gets here; raise what hinders it, in which case it is to be called again.

        `doubt` says which turns may have been committed, but not dispatched, by an invocation that died.
        """
        move = self._move(id, incoming, doubt or Doubt())
        await asyncio.create_task(move, name=f"execution {id}", context=self._context.copy())

    async def set_timer(self, id: str, at_s: float) -> None:
        """Have an execution woken at a time."""
        await self._dispatch.wake(id, at_s)

    async def park(self, id: str, reason: str) -> None:
        """Pause an execution that cannot go on, so that others can.

        One that has ended cannot be paused, and needs it no more: what its last turn asks for is tried again by the
        timer queue, whose dead letters are its own.
        """
        record = await self._host.store.executions.read(id)
        if record is not None and record.outcome is not None:
            now_s = self._host.clock.now_s()
            await self._host.timers.set(Wake(id, now_s + LATER_S, again=True), now_s)
        else:
            logger.error("execution '%s' is paused: %s", id, reason)
            await self._host.store.executions.pause(id, reason)

    async def _move(self, id: str, incoming: Sequence[Incoming], doubt: Doubt) -> None:
        sure, is_sure = self._dispatched.pop(id, None), False
        if sure is None:
            # Cold, so that what has been used by turns that were not dispatched here is not used once more.
            self._orchestrator.forget(id)
        running: set[asyncio.Task[Incoming | None]] = set()
        due: Sequence[Incoming] | None = incoming
        try:
            while due is not None or running:
                if due is not None:
                    await self._advance(id, due)
                    due = None
                if not is_sure:
                    sure, is_sure = await self._make_sure(id, doubt, sure), True
                for commit in self._committed.pop(id, ()):
                    running.update(await self._follow(commit))
                    sure = None if sure is None else sure.and_then(commit)
                    due = () if commit.successor is not None else due
                if due is None and running:
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    due = [answer for each in done if (answer := each.result()) is not None] or None
        finally:
            self._committed.pop(id, None)
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self.inline.leave(id)
        if sure is not None:
            self._dispatched[id] = sure
        while len(self._dispatched) > WARM_MOST:
            self._dispatched.popitem(last=False)

    async def _advance(self, id: str, incoming: Sequence[Incoming]) -> None:
        for attempt in range(TRIES):
            try:
                await self._orchestrator.advance(id, incoming)
            except ClaimLost as lost:
                incoming = [i for i in incoming if i.finished is None or i.finished.key not in lost.keys]
            except Conflict:
                # What the table has is found there again; what it does not know yet is kept.
                incoming = [i for i in incoming if i.finished is not None]
                await self._host.clock.sleep(0.02 * 2**attempt)
            else:
                return
        await self._orchestrator.advance(id, incoming)

    def _keep(self, commit: TurnCommit) -> None:
        self.inline.answered(commit.finished)
        self._committed.setdefault(commit.execution, []).append(commit)

    async def _follow(self, commit: TurnCommit) -> list[asyncio.Task[Incoming | None]]:
        """Dispatch a turn; return the inline tasks that it has begun."""
        for effect in commit.effects:
            if isinstance(effect, CancelTask):
                self.inline.cancel(effect.key)
        mine, others = _divided(commit.effects)
        await self._dispatch.effects(others)
        await self._dispatch.wake(commit.execution, commit.wake_at_s)
        return [asyncio.create_task(self.inline.run(task, claim)) for task, claim in mine]

    def _began(self, id: str) -> tuple[int, int] | None:
        """Return where an execution was before the turns that were taken just now."""
        commits = self._committed.get(id)
        return (commits[0].run, commits[0].turn) if commits else self._host.store.executions.place(id)

    async def _make_sure(self, id: str, doubt: Doubt, before: Sure | None) -> Sure:
        """Let happen what the turns before those of this function have asked for, as far as that is in doubt.

        What has been used here just now was not used before. Return which turns this function has dispatched, or will.
        """
        executions, began = self._host.store.executions, self._began(id)
        goes_on = before is not None and before.until == began
        sure = before if before is not None and goes_on else Sure(began, began)
        own = self._committed.get(id, ())
        # Each run has a start: what comes again may be that of the run before, which nobody has dispatched.
        used = {key for commit in own for key in used_keys(commit.run, commit.used)}
        if not any(STARTED in commit.used for commit in own if commit.run == 0):
            used.discard((None, STARTED))
        doubt = replace(doubt, keys=doubt.keys - used)
        others = sure.since != FIRST  # have taken turns, perhaps, and died of it
        if doubt == Doubt() or not (others or doubt.is_general):
            return sure
        open_calls = executions.open_calls(id)
        found = await executions.reader.latest(id, LOOKED_BACK)
        if len(found) == LOOKED_BACK:
            scheduled = {seq for chunk in found for seq in chunk.tasks}
            if doubt.goes_beyond(found) or not open_calls <= scheduled:
                found = await executions.reader.latest(id)
        latest = [chunk for chunk in found if began is None or (chunk.run, chunk.turn) < began]
        theirs = [chunk for chunk in latest if sure.since is None or (chunk.run, chunk.turn) < sure.since]
        await self._dispatch_again(id, doubt, open_calls, theirs)
        await self._take_over(id, open_calls, latest)
        return sure

    async def _dispatch_again(
        self, id: str, doubt: Doubt, open_calls: frozenset[int], latest: Sequence[Chunk]
    ) -> None:
        """Dispatch the oldest turn that is in doubt, and all later ones; inline tasks are another matter."""
        following = self._host.store.executions.following
        oldest = max(
            (number for number, chunk in enumerate(latest) if doubt.is_about(chunk, number)), default=-1
        )
        for number, chunk in reversed(list(enumerate(latest))):
            if number > oldest and not (doubt.is_general and self._may_wait(id, chunk, open_calls)):
                continue
            _, others = _divided(await effects_of(chunk, self._host.store.bodies))
            if number > oldest:
                others = [e for e in others if not isinstance(e, ScheduleTask) or e.key.seq in open_calls]
            await self._dispatch.effects(others)
            await following.follow(chunk, (), following.left_over(chunk))
            if chunk is latest[0]:
                await self._dispatch.wake(id, chunk.wake_at_s)

    def _may_wait(self, id: str, chunk: Chunk, open_calls: frozenset[int]) -> bool:
        """Tell whether what a turn before those in doubt asks for may have been lost with a record of the stream.

        The stream gives records up, and other turns may be taken before anybody looks. A fork's first turn is not
        taken by a function, but stored with it.
        """
        if (chunk.run, chunk.turn) == FIRST:
            return True
        place = self._host.store.executions.place(id)
        return place is not None and chunk.run == place[0] and not open_calls.isdisjoint(chunk.tasks)

    async def _take_over(self, id: str, open_calls: frozenset[int], latest: Sequence[Chunk]) -> None:
        """Hand inline tasks without an answer to their queues, when the functions that had begun them are over.

        Until then one may be running, whose answer the next turn uses without any item that would show it.
        """
        place, now_s = self._host.store.executions.place(id), self._host.clock.now_s()
        later = set[float]()
        for chunk in latest:
            if place is None or chunk.run != place[0] or open_calls.isdisjoint(chunk.tasks):
                continue
            inline, _ = _divided(await effects_of(chunk, self._host.store.bodies))
            for task, claim in inline:
                if task.key.seq in open_calls and claim.until_s <= now_s:
                    await self.inline.take_over(task)
                elif task.key.seq in open_calls:
                    later.add(claim.until_s)
        for at_s in later:
            await self._host.timers.set(Wake(id, at_s, again=True), now_s)


def _divided(effects: Sequence[Effect]) -> tuple[list[tuple[ScheduleTask, Claim]], list[Effect]]:
    """Return the tasks that the committing process runs itself, and everything else."""
    inline, others = list[tuple[ScheduleTask, Claim]](), list[Effect]()
    for effect in effects:
        if isinstance(effect, ScheduleTask) and effect.claim is not None:
            inline.append((effect, effect.claim))
        else:
            others.append(effect)
    return inline, others
