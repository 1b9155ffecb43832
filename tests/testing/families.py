"""A service of parents and children: what a parent may do with a handle, and what becomes of the child."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Literal, TypeAlias

from service_kit import ExecutionExists, Service, Signal, duration, workflow

Close: TypeAlias = Literal["cancel", "terminate", "abandon"]
word = Signal("word", str)
END = "end"


@workflow
async def slow(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return f"slept {seconds:g} s"


@workflow
async def broken(seconds: float) -> str:
    await asyncio.sleep(seconds)
    raise ValueError("no tape")


@workflow
async def listen() -> list[str]:
    """Hear words until the end."""
    heard: list[str] = []
    while (said := await word.receive()) != END:
        heard.append(said)
    return heard


@workflow
async def wait_for_each() -> list[str]:
    """Wait for children in several tasks at once, and again when they have ended."""
    first = await slow.options(id="first").start(20)
    second = await slow.options(id="second").start(10)
    both = await asyncio.gather(_and_rest(first.result()), _and_rest(second.result()), first.result())
    third = await slow.options(id="third")(1)
    return [*both, await second.result(), third]


async def _and_rest(result: Awaitable[str]) -> str:
    answer = await result
    await duration(seconds=1)
    return answer


@workflow
async def wait_with_policy(close: Close) -> str:
    return await (await slow.options(id="child", parent_close=close).start(100)).result()


@workflow
async def wait_a_little(timeout_s: float) -> list[str]:
    """Wait with the handle's own timeout, then without."""
    child = await slow.options(id="child").start(100)
    try:
        return [await child.result(timeout_s=timeout_s)]
    except TimeoutError as error:
        return [type(error).__name__, str(error), await child.result()]


@workflow
async def wait_in_a_timeout() -> list[str]:
    child = await slow.options(id="child").start(100)
    try:
        async with asyncio.timeout(5):
            return [await child.result()]
    except TimeoutError:
        return ["gave up", await child.result()]


@workflow
async def call_in_a_timeout() -> str:
    try:
        async with asyncio.timeout(5):
            return await slow.options(id="child")(100)
    except TimeoutError:
        await duration(seconds=1)
        return "gave up"


@workflow
async def wait_in_two_tasks() -> list[str]:
    child = await slow.options(id="child").start(100)
    impatient, patient = (asyncio.create_task(child.result()) for _ in range(2))
    await duration(seconds=1)
    impatient.cancel()
    answers = await asyncio.gather(impatient, patient, return_exceptions=True)
    return [answer if isinstance(answer, str) else type(answer).__name__ for answer in answers]


@workflow
async def ignore_a_failure() -> str:
    child = await broken.start(10)
    try:
        await child.result(timeout_s=5)
    except TimeoutError:
        await duration(seconds=10)
    return "whatever became of it"


@workflow
async def speak(target: str) -> None:
    """Say one thing twice under one id, another one twice under none."""
    listener = listen.get(target)
    for _ in range(2):
        await listener.signal(word, "once", id="w-1")
    for _ in range(2):
        await listener.signal(word, "twice")
    await listener.signal(word, END)


@workflow
async def start_with_id(id: str) -> str:
    try:
        return await (await slow.options(id=id).start(10)).result()
    except ExecutionExists as error:
        return str(error)


@workflow
async def start_twice() -> list[str]:
    """Start one child twice; the second one is refused, the first one goes on."""
    first = await slow.options(id="child").start(10)
    second = await slow.options(id="child").start(10)
    answers = await asyncio.gather(second.result(), first.result(), return_exceptions=True)
    return [str(answer) for answer in answers]


@workflow
async def find_own_child() -> list[str]:
    """Wait by the child's id, while it runs and when it has ended."""
    early = slow.get("child")
    await slow.options(id="child").start(10)
    return [await early.result(), await slow.get("child").result()]


@workflow
async def find_anybody(id: str) -> str:
    return await slow.get(id).result()


class Families(Service):
    wait_for_each = wait_for_each
