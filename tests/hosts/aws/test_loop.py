from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from contextvars import ContextVar

import pytest

from service_kit import current_request
from service_kit.hosts.aws import LambdaHandler
from tests.hosts.aws.conftest import Ask
from tests.hosts.aws.probes import call, service
from tests.hosts.aws.recorded import http_api_2

Make = Callable[..., LambdaHandler]
seen: ContextVar[str] = ContextVar("seen", default="nothing")


def test_a_command_runs_in_a_task_on_a_running_loop_before_and_after_it_waits(handler_of: Make) -> None:
    async def look() -> list[bool]:
        found = []
        for wait in (0.0, 0.001, None):
            task, loop = asyncio.current_task(), asyncio.get_running_loop()
            found.append(task in asyncio.all_tasks() and loop.is_running() and task.get_loop() is loop)
            if wait is not None:
                await asyncio.sleep(wait)
        return found

    async def look_quickly() -> bool:
        return asyncio.current_task() in asyncio.all_tasks() and asyncio.get_running_loop().is_running()

    handler = handler_of(service(look, look_quickly))
    for _ in range(3):
        assert call(handler, "look") == [True, True, True]
        assert call(handler, "look_quickly") is True
    assert asyncio._get_running_loop() is None


def test_all_calls_share_one_loop(handler_of: Make) -> None:
    async def loop_id() -> int:
        return id(asyncio.get_running_loop())

    async def loop_id_after_waiting() -> int:
        await asyncio.sleep(0)
        return id(asyncio.get_running_loop())

    handler = handler_of(service(loop_id, loop_id_after_waiting))
    assert len({call(handler, name) for name in ("loop_id", "loop_id_after_waiting") * 2}) == 1


def test_tasks_timeouts_and_threads_work(handler_of: Make) -> None:
    async def gather() -> list[int]:
        async def number(value: int) -> int:
            await asyncio.sleep(0.001)
            return value

        async with asyncio.TaskGroup() as group:
            first = group.create_task(number(1))
        return [first.result(), *await asyncio.gather(number(2), number(3))]

    async def give_up() -> str:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            return "gave up"
        return "waited"

    async def no_timeout_needed() -> str:
        async with asyncio.timeout(60):
            return "in time"

    async def in_thread() -> bool:
        return await asyncio.to_thread(threading.get_ident) != threading.get_ident()

    async def wait_for() -> int:
        return await asyncio.wait_for(asyncio.sleep(0.001, 7), 10)

    def in_sync_command() -> bool:
        return threading.current_thread() is not threading.main_thread()

    handler = handler_of(service(gather, give_up, no_timeout_needed, in_thread, wait_for, in_sync_command))
    for _ in range(2):
        assert call(handler, "gather") == [1, 2, 3]
        assert call(handler, "give_up") == "gave up"
        assert call(handler, "no_timeout_needed") == "in time"
        assert call(handler, "in_thread") is True
        assert call(handler, "wait_for") == 7
        assert call(handler, "in_sync_command") is True


def test_sockets_work(handler_of: Make) -> None:
    async def echo() -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
        return line.decode().strip()

    handler = handler_of(service(echo))
    assert [call(handler, "echo"), call(handler, "echo")] == ["hello", "hello"]


def test_context_variables_do_not_leak_from_call_to_call(handler_of: Make) -> None:
    async def leave() -> str:
        before = seen.get()
        seen.set("something")
        return before

    async def leave_and_wait() -> str:
        before = seen.get()
        seen.set("something")
        await asyncio.sleep(0)
        return f"{before} {seen.get()}"

    handler = handler_of(service(leave, leave_and_wait))
    assert [call(handler, "leave"), call(handler, "leave")] == ["nothing", "nothing"]
    assert [call(handler, "leave_and_wait")] * 2 == ["nothing something"] * 2
    assert seen.get() == "nothing"
    with pytest.raises(LookupError):
        current_request()


def test_a_handler_that_is_called_inside_a_running_loop_says_so(handler_of: Make) -> None:
    async def quick() -> int:
        return 1

    handler = handler_of(service(quick))

    async def ask_inside() -> None:
        with pytest.raises(RuntimeError, match="inside a running event loop; call it in a thread"):
            call(handler, "quick")

    asyncio.run(ask_inside())
    assert call(handler, "quick") == 1


def test_an_exit_that_a_command_asks_for_ends_the_process_and_not_the_call(
    handler_of: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    async def leave_later() -> None:
        await asyncio.sleep(0)
        raise SystemExit(3)

    async def quick() -> int:
        return 1

    handler = handler_of(service(leave, leave_later, quick))
    for name in ("leave", "leave_later"):
        with pytest.raises(SystemExit):
            call(handler, name)
        gc.collect()
        assert call(handler, "quick") == 1
    assert not caplog.records


def test_one_failed_call_does_not_spoil_the_next(ask: Ask, handler_of: Make) -> None:
    async def fail() -> None:
        raise RuntimeError("secret")

    async def quick() -> int:
        return 1

    handler = handler_of(service(fail, quick))
    answer = ask(handler, http_api_2("POST", "/rpc/fail", body="{}"))
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert call(handler, "quick") == 1
