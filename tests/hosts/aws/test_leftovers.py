"""What a call leaves to the event loop, and what becomes of it."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable

from service_kit.hosts.aws import LambdaHandler
from tests.hosts.aws.probes import call, service

Make = Callable[..., LambdaHandler]


def test_a_background_task_goes_on_with_later_calls_that_do_not_wait_themselves(handler_of: Make) -> None:
    log: list[str] = []
    kept: set[asyncio.Task[None]] = set()

    async def work() -> None:
        for step in range(3):
            log.append(f"step {step}")
            await asyncio.sleep(0)
        log.append("done")

    async def start() -> None:
        kept.add(asyncio.create_task(work()))

    async def idle() -> None:
        return

    handler = handler_of(service(start, idle))
    call(handler, "start")
    assert log == ["step 0"]
    while "done" not in log:
        before = len(log)
        call(handler, "idle")
        assert len(log) > before
    assert [task.done() for task in kept] == [True]


def test_timers_callbacks_and_threads_reach_the_loop_through_calls_that_do_not_wait(handler_of: Make) -> None:
    happened: set[str] = set()

    async def plan() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.001, happened.add, "timer")
        loop.call_soon(happened.add, "callback")
        timer = threading.Timer(0.001, loop.call_soon_threadsafe, (happened.add, "thread"))
        timer.start()

    async def idle() -> None:
        return

    handler = handler_of(service(plan, idle))
    call(handler, "plan")
    give_up_at = time.monotonic() + 10
    while happened != {"timer", "callback", "thread"}:
        assert time.monotonic() < give_up_at
        call(handler, "idle")


def test_a_connection_is_heard_through_calls_that_do_not_wait(handler_of: Make) -> None:
    lines: list[bytes] = []

    class Listener(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            lines.append(data)

    async def listen() -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Listener, "127.0.0.1", 0)
        kept.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def idle() -> None:
        return

    kept: list[asyncio.Server] = []
    handler = handler_of(service(listen, idle))
    port = call(handler, "listen")
    for _ in range(3):
        call(handler, "idle")
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"hello")
        give_up_at = time.monotonic() + 10
        while not lines:
            assert time.monotonic() < give_up_at
            call(handler, "idle")
        kept[0].close()
    for _ in range(3):
        call(handler, "idle")


def test_an_async_generator_that_is_left_behind_is_closed(handler_of: Make) -> None:
    closed: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append("closed")

    async def take_one() -> int:
        async for number in numbers():
            return number
        return 0

    async def idle() -> None:
        return

    handler = handler_of(service(take_one, idle))
    assert call(handler, "take_one") == 1
    gc.collect()
    for _ in range(5):
        call(handler, "idle")
    assert closed == ["closed"]


def test_timeouts_that_were_not_needed_do_not_pile_up(handler_of: Make) -> None:
    async def guard() -> None:
        async with asyncio.timeout(3600):
            return

    handler = handler_of(service(guard))
    for _ in range(500):
        call(handler, "guard")
    gc.collect()
    timers = [o for o in gc.get_objects() if isinstance(o, asyncio.TimerHandle) and o.cancelled()]
    assert len(timers) < 200
