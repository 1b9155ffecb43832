"""The director: opens and closes stages, runs things on them, and tells the test what goes wrong there."""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import copy_context
from datetime import timedelta
from typing import Any, TypeVar

from client_kit.executions import ExecutionHandle
from service_kit.contract.gateway import set_gateway
from service_kit.contract.gather import gather
from service_kit.contract.service import ServiceContract
from service_kit.errors import ExecutionNotFound
from service_kit.runtime.records import StoredExecution
from service_kit.testing.gateway import StageGateway
from service_kit.testing.loop import Idle
from service_kit.testing.stage import Stage
from service_kit.testing.stores import FIRES_MOST
from service_kit.testing.waiting import NeverEnds, waits_of

__tracebackhide__ = True  # a failing test shows its own line, not how it was run

__all__ = ["Director"]

R = TypeVar("R")
T = TypeVar("T")

WITHIN = timedelta(days=3_650)
SILENT_WITHIN = timedelta(days=1)
SHOWN = 5


class Director:
    """What an environment does behind its methods; `stage` is a new one after each reset."""

    def __init__(self, contract: ServiceContract, start_s: float) -> None:
        self._contract = contract
        self._declarations = gather(contract)
        self._start_s = start_s
        self._stage: Stage | None = None
        self.gateway: StageGateway = StageGateway(lambda: self.stage, self.run)

    @property
    def stage(self) -> Stage:
        """The service at work; raise RuntimeError outside of the environment's block."""
        if self._stage is None:
            raise RuntimeError(
                "the environment does not run; enter it: 'with TestEnvironment(...) as env', or use the fixture "
                "'service_env'"
            )
        return self._stage

    @property
    def is_open(self) -> bool:
        return self._stage is not None

    def open(self) -> None:
        """Begin anew."""
        stage = self._stage = Stage(self._contract, self._declarations, self._start_s)
        try:
            stage.open()
        except Idle:
            raise NeverEnds("the service's lifespan waits for something that does not come") from None
        finally:
            if not stage.is_open:
                self._stage = None
                stage.close()

    def close(self, *, check: bool) -> None:
        """End the stage; `check` what has not ended there."""
        stage = self.stage
        try:
            if check:
                stage.executions.check_unfinished()
                self._tell(stage)
        finally:
            self._stage = None
            try:
                stage.close()
            except Idle:
                if check:  # or else it would hide the error for which the test ends, as Ctrl+C in a workflow
                    raise NeverEnds("the service's lifespan does not end") from None

    def now_s(self) -> float:
        return self.stage.loop.time()

    def pass_to(self, at_s: float) -> None:
        """Let time pass until a moment."""
        stage = self.stage
        if at_s < stage.loop.time():
            raise ValueError(f"{at_s - stage.loop.time():g} s: time does not run backwards; use reset()")
        stage.loop.advance_to(at_s)
        self._tell(stage)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something beside the service; raise NeverEnds if it cannot come to its end."""
        return self._complete(work, WITHIN)

    def listen(self, work: Coroutine[Any, Any, T]) -> T:
        """Run the opening or the reading of a stream, as `run`; give up after a day, of which heartbeats are all."""
        return self._complete(work, SILENT_WITHIN)

    def wait_for(self, id: str, within: timedelta) -> None:
        """Let time pass until an execution has ended; raise NeverEnds."""
        self._complete(self.stage.runtime.gateway.outcome(id, None), within, id)

    def stored(self, id: str) -> StoredExecution:
        """Return an execution as it is stored; raise ExecutionNotFound."""
        found = self.stage.executions.peek(id)
        if found is None:
            raise ExecutionNotFound(id=id)
        return found

    def result_of(self, handle: ExecutionHandle[R]) -> R:
        """Return the result of an execution that has ended; raise NeverEnds for one that has not."""
        if self.stored(handle.id).record.outcome is None:
            raise NeverEnds("\n".join(["it has not ended yet:", *waits_of(self.stage, handle.id)]))
        return self.run(handle.result())

    def _complete(self, work: Coroutine[Any, Any, T], within: timedelta, execution: str | None = None) -> T:
        if self._stage is None:
            work.close()
        stage = self.stage
        until_s = stage.loop.time() + within.total_seconds()
        stage.recorder.fires = 0
        context = copy_context()
        context.run(set_gateway, self.gateway)
        # An execution talks to nobody outside; its tasks may, and are known.
        complete = stage.visit if execution is None else stage.loop.complete
        try:
            result = complete(work, until_s, context)
        except Idle as idle:
            self._tell(stage)
            raise NeverEnds(_why(stage, idle, within, execution)) from None
        finally:
            stage.loop.settle()
            self._tell(stage)
        return result

    def _tell(self, stage: Stage) -> None:
        """Raise what went wrong where nobody in the service can be told."""
        troubles = stage.recorder.troubles
        if troubles:
            first, *others = troubles
            troubles.clear()
            for other in others:
                first.add_note(f"and: {type(other).__name__}: {other}")
            raise first


def _why(stage: Stage, idle: Idle, within: timedelta, execution: str | None) -> str:
    if stage.recorder.fires > FIRES_MOST:
        reason = "nothing but schedules goes on"
    else:
        reason = f"it goes on after {within}" if idle.later else "nothing is left that could let it go on"
    waiting = [execution] if execution else stage.executions.unfinished()[:SHOWN]
    return "\n".join([f"{reason}:", *(line for each in waiting for line in waits_of(stage, each))])
