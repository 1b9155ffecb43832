"""Workflows made at random: a program is data, and a workflow runs it with asyncio's own tools."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable
from typing import Any, TypeAlias

from hypothesis import strategies as st

from service_kit.engine.context import WorkflowContext, require_workflow
from service_kit.errors import TaskFailed, WorkflowFailed
from tests.engine.driving import task

__all__ = ["NAMES", "Program", "programs", "run_program"]

Program: TypeAlias = list[Any]
"""The name of an operation, then its operands."""

NAMES = ("red", "green", "blue")
FAILURES = (TaskFailed, WorkflowFailed, TimeoutError)

names = st.sampled_from(NAMES)
seconds = st.sampled_from([0, 1, 2, 5, 60])


def programs() -> st.SearchStrategy[Program]:
    """Return a strategy of programs."""
    leaves = st.one_of(
        st.tuples(st.just("task"), names),
        st.tuples(st.just("sleep"), seconds),
        st.tuples(st.just("receive"), names),
        st.tuples(st.just("listen"), names),
        st.tuples(st.just("count"), st.integers(1, 3), seconds),
        st.tuples(st.just("child"), names),
        st.tuples(st.just("note"), names),
    )
    return st.recursive(leaves, _nested, max_leaves=14).map(_as_lists)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=4)
    return st.one_of(
        st.tuples(st.just("steps"), several),
        st.tuples(st.just("gather"), several),
        st.tuples(st.just("group"), several),
        st.tuples(st.just("first"), several),
        st.tuples(st.just("as_completed"), several),
        st.tuples(st.just("timeout"), seconds, inner),
        st.tuples(st.just("wait_for"), seconds, inner),
        st.tuples(st.just("shield"), seconds, inner),
        st.tuples(st.just("cleanup"), inner, inner),
        st.tuples(st.just("background"), inner),
        st.tuples(st.just("limited"), several),
        st.tuples(st.just("queue"), several),
    )


def _as_lists(program: Any) -> Any:
    return [_as_lists(part) for part in program] if isinstance(program, tuple | list) else program


class Runner:
    """Runs one program; `trace` is everything that it saw, in order."""

    def __init__(self, workflow: WorkflowContext) -> None:
        self.workflow = workflow
        self.trace: list[Any] = []
        self.heard = 0

    async def run(self, program: Program) -> Any:
        operation, *operands = program
        try:
            value = await getattr(self, f"do_{operation}")(*operands)
        except FAILURES as error:
            value = type(error).__name__
        except asyncio.CancelledError:
            self.trace.append([operation, "cancelled"])
            raise
        self.trace.append([operation, value])
        return value

    async def do_task(self, name: str) -> Any:
        return await task(name, len(self.trace))

    async def do_sleep(self, delay_s: float) -> float:
        await asyncio.sleep(delay_s)
        return asyncio.get_running_loop().time()

    async def do_receive(self, name: str) -> Any:
        return json.loads(await self.workflow.receive_signal(name, timeout_s=30))

    async def do_listen(self, name: str) -> None:
        async def handle(payload: str) -> None:
            self.heard += 1
            self.trace.append(["heard", name, payload])
            if self.heard % 2:
                await self.do_task(f"handle-{name}")

        dispose = self.workflow.on_signal(name, handle)
        await self.do_task(name)
        dispose()

    async def do_count(self, count: int, timeout_s: float) -> None:
        await self.workflow.condition(lambda: self.heard >= count, timeout_s=timeout_s)

    async def do_child(self, name: str) -> Any:
        return json.loads(await self.workflow.start_child(name, json.dumps(len(self.trace))).result)

    async def do_note(self, name: str) -> list[Any]:
        self.workflow.set_state(name, json.dumps(self.trace[-1:]))
        self.workflow.emit([(name, str(len(self.trace)))])
        self.workflow.send_signal("other", name, "1")
        return [self.workflow.random(), self.workflow.patched(name)]

    async def do_steps(self, several: list[Program]) -> list[Any]:
        return [await self.run(program) for program in several]

    async def do_gather(self, several: list[Program]) -> list[Any]:
        return list(await asyncio.gather(*self.each(several)))

    async def do_group(self, several: list[Program]) -> list[Any]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in self.each(several)]
        return [done.result() for done in tasks]

    async def do_first(self, several: list[Program]) -> list[Any]:
        tasks = [asyncio.create_task(work) for work in self.each(several)]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=40)
        for late in pending:
            late.cancel()
        return [one.result() for one in done]

    async def do_as_completed(self, several: list[Program]) -> list[Any]:
        return [await one for one in asyncio.as_completed(list(self.each(several)))]

    async def do_timeout(self, timeout_s: float, program: Program) -> Any:
        async with asyncio.timeout(timeout_s):
            return await self.run(program)

    async def do_wait_for(self, timeout_s: float, program: Program) -> Any:
        return await asyncio.wait_for(self.run(program), timeout_s)

    async def do_shield(self, timeout_s: float, program: Program) -> Any:
        inner = asyncio.create_task(self.run(program))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(inner)
        return await inner

    async def do_cleanup(self, program: Program, cleanup: Program) -> Any:
        try:
            return await self.run(program)
        finally:
            await self.run(cleanup)

    async def do_background(self, program: Program) -> None:
        asyncio.get_running_loop().create_task(self.run(program))

    async def do_limited(self, several: list[Program]) -> list[Any]:
        limit = asyncio.Semaphore(2)

        async def limited(program: Program) -> Any:
            async with limit:
                return await self.run(program)

        return list(await asyncio.gather(*(limited(program) for program in several)))

    async def do_queue(self, several: list[Program]) -> list[Any]:
        queue: asyncio.Queue[Program] = asyncio.Queue(maxsize=1)

        async def consume() -> list[Any]:
            return [await self.run(await queue.get()) for _ in several]

        consumer = asyncio.create_task(consume())
        for program in several:
            await queue.put(program)
        return await consumer

    def each(self, several: Iterable[Program]) -> Iterable[Any]:
        return (self.run(program) for program in several)


async def run_program(program: Program) -> list[Any]:
    """The workflow: run the program, return what it saw."""
    runner = Runner(require_workflow("the test"))
    await runner.run(program)
    return runner.trace
