"""The service's HTTP face, called in process, from sync and async tests."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from client_kit import CallTimeout, ProblemError, connect, manage
from client_kit.wire import Request, Response
from service_kit.testing import NeverEnds, TestEnvironment
from service_kit.testing.environment import START
from service_kit.testing.transport import StageTransport
from tests.testing.orders import (
    OrderPlaced,
    Orders,
    OutOfStock,
    Shipment,
    cancellable,
    cancelled,
    place_order,
    process_order,
    process_payment,
    ship_order,
    wait_one_second,
)

Env = TestEnvironment[Orders]


def test_command_starts_a_workflow_over_http(env: Env) -> None:
    order_id = env.client.place_order.sync("o-1")

    execution = env.get(process_order, order_id)
    assert env.run_until_complete(execution).tracking == "tracking of o-1"
    assert env.events_of(OrderPlaced) == [OrderPlaced(order_id="o-1")]


def test_async_calls_of_the_client_run_in_a_sync_test(env: Env) -> None:
    assert env.run(env.client.place_order("o-1")) == "o-1"


def test_declared_error_reaches_the_client_as_its_class(env: Env) -> None:
    with pytest.raises(OutOfStock):
        env.client.place_order.sync("none")


def test_command_that_waits_for_a_workflow_lets_time_pass(env: Env) -> None:
    env.mock(process_payment).raises_once(ConnectionError)

    shipment = env.client.place_and_wait.sync("o-1")

    assert shipment.order_id == "o-1"
    assert env.now - START == timedelta(seconds=10)


def test_call_that_takes_longer_than_its_timeout_ends_in_virtual_time(env: Env) -> None:
    env.mock(ship_order).calls(never)

    with pytest.raises((CallTimeout, ProblemError)):
        env.run(env.client.place_and_wait.options(timeout_s=5)("o-1"))
    assert env.now - START == timedelta(seconds=5)


async def never(order_id: str) -> str:
    await asyncio.Event().wait()
    return order_id


def test_stream_arrives_item_by_item_in_virtual_time(env: Env) -> None:
    assert list(env.client.watch.sync(3)) == [0, 1, 2]
    assert env.now - START == timedelta(minutes=3)


def test_client_with_options_of_its_own_uses_the_transport(env: Env) -> None:
    with connect(Orders, env.url, transport=env.transport, timeout_s=3) as client:
        assert client.place_order.sync("o-1") == "o-1"


def test_workflow_is_started_and_managed_by_the_client(env: Env) -> None:
    run = env.run(env.client.cancellable.options(id="c-1").start("o-1"))
    env.run(run.signal(cancelled, "by http"))

    assert env.get(cancellable, "c-1").result() == "by http"
    assert env.run_until_complete(run) == "by http"
    page = env.run(manage(env.client).list_executions())
    assert [one.id for one in page.executions] == ["c-1"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the management API's commands that clients have called."""
    names: list[str] = []
    send = StageTransport.send

    async def counted(self: StageTransport, request: Request) -> Response:
        names.append(request.url.rpartition("_system.")[2])
        assert len(names) < 100, "it asks for ever"
        return await send(self, request)

    monkeypatch.setattr(StageTransport, "send", counted)
    return names


def test_client_that_waits_for_days_asks_once(env: Env, asked: list[str]) -> None:
    late = env.client.process_order.options(start_delay_s=timedelta(days=2).total_seconds())
    run = env.run(late.start("o-1"))
    assert env.run(run.result()).tracking == "tracking of o-1"
    assert env.now - START >= timedelta(days=2)
    assert asked == ["start", "outcome"]


def test_result_that_cannot_come_fails_an_async_test_and_names_the_line(asked: list[str]) -> None:
    async def test() -> None:
        async with TestEnvironment(Orders) as env:
            run = await env.client.cancellable.options(id="c-1").start("o-1")
            said = r"^nothing is left that could let it go on:\nexecution 'c-1' of 'cancellable' waits at .*orders.py"
            with pytest.raises(NeverEnds, match=said):
                await run.result()
            with pytest.raises(NeverEnds, match=said):
                env.run(run.result())
            assert env.now == START

            with pytest.raises(TimeoutError):
                await run.result(timeout_s=timedelta(days=2).total_seconds())
            assert env.now - START == timedelta(days=2)
            await run.signal(cancelled, "bye")
            assert await run.result() == "bye"

    asyncio.run(test())


def test_async_test_awaits_what_the_service_offers() -> None:
    async def test() -> None:
        async with TestEnvironment(Orders) as env:
            run = await wait_one_second.start("a")
            assert await run.status() == "running"
            assert await run.result() == "a"
            assert env.now - START == timedelta(seconds=1)

            assert await env.client.place_order("o-1") == "o-1"
            assert isinstance(await process_order.get("o-1").result(), Shipment)
            assert [number async for number in env.client.watch(2)] == [0, 1]

            waiting = await cancellable.start("o-2")
            with pytest.raises(TimeoutError):
                await waiting.result(timeout_s=60)
            await waiting.signal(cancelled, "bye")
            assert await waiting.result() == "bye"
            assert env.run_until_complete(waiting) == "bye"
            await OrderPlaced(order_id="o-3").emit()
            assert len(env.events_of(OrderPlaced)) == 2

    asyncio.run(test())


def test_command_called_as_a_function_finds_the_environment(env: Env) -> None:
    assert env.run(place_order("o-1")) == "o-1"
    assert env.get(process_order, "o-1").status() == "succeeded"
