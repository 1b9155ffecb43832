"""The loop with virtual time, by itself."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from service_kit.testing.loop import Idle, VirtualLoop

BEGIN_S = 1_735_689_600.0


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop(BEGIN_S, lambda: True)
    yield loop
    loop.end()


def test_sleepers_wake_at_exactly_their_moment_in_order(loop: VirtualLoop) -> None:
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((name, loop.time() - BEGIN_S))

    async def all_of_them() -> None:
        await asyncio.gather(sleeper("late", 3.5), sleeper("early", 0.25), sleeper("far", 1e9))

    loop.complete(all_of_them())
    assert woken == [("early", 0.25), ("late", 3.5), ("far", 1e9)]


def test_time_goes_as_far_as_it_may(loop: VirtualLoop) -> None:
    sleeping = loop.create_task(asyncio.sleep(10))
    loop.advance_to(BEGIN_S + 9)
    assert not sleeping.done()
    assert loop.time() == BEGIN_S + 9
    with pytest.raises(Idle) as idle:
        loop.complete(asyncio.sleep(10), until_s=BEGIN_S + 15)
    assert idle.value.later
    assert (sleeping.done(), loop.time()) == (True, BEGIN_S + 10)


def test_waiting_for_nothing_is_idle_and_takes_no_time(loop: VirtualLoop) -> None:
    with pytest.raises(Idle) as idle:
        loop.complete(asyncio.Event().wait(), until_s=BEGIN_S + 1e9)
    assert not idle.value.later
    with pytest.raises(Idle):
        loop.complete(asyncio.sleep(float("inf")))
    assert loop.time() == BEGIN_S


def test_housekeeping_follows_time_and_does_not_make_it_pass(loop: VirtualLoop) -> None:
    rounds: list[float] = []

    async def keep_house() -> None:
        while True:
            await loop.linger(60)
            rounds.append(loop.time() - BEGIN_S)

    loop.create_task(keep_house())
    with pytest.raises(Idle):
        loop.complete(asyncio.Event().wait())
    assert rounds == []
    loop.complete(asyncio.sleep(3600))
    assert rounds == [3600]


def test_function_for_a_thread_runs_at_once(loop: VirtualLoop) -> None:
    async def work() -> tuple[int, int]:
        return await asyncio.to_thread(lambda: (asyncio.run(asyncio.sleep(0, 3)), threading.get_ident()))

    assert loop.complete(work()) == (3, threading.get_ident())

    async def fail() -> None:
        await asyncio.to_thread(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        loop.complete(fail())


def test_real_threads_and_sockets_are_waited_for_before_time_passes(loop: VirtualLoop) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    def answer() -> None:
        theirs.sendall(theirs.recv(10).upper())

    async def talk() -> bytes:
        await loop.sock_sendall(ours, b"hello")
        async with asyncio.timeout(30):
            return await loop.sock_recv(ours, 10)

    other = threading.Thread(target=answer)
    other.start()
    with ours, theirs:
        assert loop.complete(talk()) == b"HELLO"
        other.join()
    assert loop.time() == BEGIN_S

    async def pooled(pool: ThreadPoolExecutor) -> int:
        return await loop.run_in_executor(pool, int, "7")

    with ThreadPoolExecutor(1) as pool:
        assert loop.complete(pooled(pool)) == 7


def test_loop_runs_beneath_another_one_in_the_same_thread(loop: VirtualLoop) -> None:
    async def outer() -> str:
        task = asyncio.current_task()
        value = loop.complete(asyncio.sleep(5, "inner"))
        await asyncio.sleep(0)
        assert asyncio.current_task() is task
        assert asyncio.get_running_loop() is not loop
        return value

    assert asyncio.run(outer()) == "inner"
    assert loop.time() == BEGIN_S + 5


def test_loop_does_not_run_within_itself(loop: VirtualLoop) -> None:
    async def nested() -> None:
        with pytest.raises(RuntimeError, match="call it from the test"):
            loop.complete(asyncio.sleep(0))
        with pytest.raises(RuntimeError, match="call it from the test"):
            loop.settle()

    loop.complete(nested())


def test_end_cancels_what_still_runs(loop: VirtualLoop) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ended.append("cleaned up")

    other = VirtualLoop(BEGIN_S, lambda: False)
    other.create_task(work())
    other.settle()
    other.end()
    assert ended == ["cleaned up"]
    assert other.is_closed()
