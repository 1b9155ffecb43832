"""Search attributes set by the workflow itself: what it is found by follows what it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

import pytest

from service_kit import Attribute, Service, Signal, workflow
from service_kit.engine.arrivals import ExecutionStarted
from service_kit.runtime.assembly import Runtime
from service_kit.runtime.records import NewExecution
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import ManualClock, running, settle

pytestmark = pytest.mark.anyio

region = Attribute("region", str)
step = Attribute("step", Literal["paying", "shipping"])
count = Attribute("count", int)
go_on = Signal("go_on", str)


@workflow
async def order(sku: str) -> str:
    step.set("paying")
    await go_on.receive()
    step.set("shipping")
    await go_on.receive()
    step.remove()
    return f"{sku} from {region.get()}, {step.get()}"


@workflow
async def again(left: int) -> int | None:
    count.set((count.get() or 0) + 1)
    await go_on.receive()
    if left:
        await again.continue_as_new(left - 1)
    return count.get()


@workflow
async def parent(sku: str) -> str:
    child = await order.options(attributes=region.of("us")).start(sku)
    await child.signal(go_on, "")
    await child.signal(go_on, "")
    return await child.result()


class Shop(Service):
    order = order
    again = again
    parent = parent


@pytest.fixture
async def runtime(clock: ManualClock) -> AsyncIterator[Runtime]:
    async with running(Shop, clock) as opened:
        yield opened


async def found(runtime: Runtime, attributes: dict[str, str]) -> set[str]:
    await settle()
    return {
        info.id for info in (await runtime.management.list_executions(None, None, attributes, 9, None))[0]
    }


async def test_an_execution_is_found_by_what_it_says_of_itself(runtime: Runtime) -> None:
    run = await order.options(id="o", attributes=region.of("eu")).start("lamp")
    await order.options(id="other").start("lamp")
    assert await found(runtime, step.of("paying")) == {"o", "other"}
    await run.signal(go_on, "")
    assert await found(runtime, step.of("paying")) == {"other"}
    assert await found(runtime, step.of("shipping") | region.of("eu")) == {"o"}
    await run.signal(go_on, "")
    assert await run.result() == "lamp from eu, None"
    assert await found(runtime, step.of("shipping")) == set()
    assert (await run.describe()).attributes == {"region": "eu"}


async def test_what_it_is_found_by_survives_its_process(clock: ManualClock) -> None:
    stores = memory_stores()
    async with running(Shop, clock, stores):
        run = await order.options(id="o", attributes=region.of("eu")).start("lamp")
        await run.signal(go_on, "")
        await settle()
    async with running(Shop, clock, stores) as second:
        assert await found(second, step.of("shipping")) == {"o"}
        await order.get("o").signal(go_on, "")
        assert await order.get("o").result() == "lamp from eu, None"


async def test_the_next_run_goes_on_with_what_the_last_one_was_found_by(runtime: Runtime) -> None:
    run = await again.options(id="a", attributes=region.of("eu")).start(2)
    assert await found(runtime, count.of(1)) == {"a"}
    await run.signal(go_on, "")
    assert await found(runtime, count.of(2) | region.of("eu")) == {"a"}
    await run.signal(go_on, "")
    await run.signal(go_on, "")
    assert await run.result() == 3


async def test_a_child_begins_with_the_attributes_that_its_parent_gives_it(runtime: Runtime) -> None:
    run = await parent.start("lamp")
    assert await run.result() == "lamp from us, None"
    assert len(await found(runtime, region.of("us"))) == 1


async def test_a_fork_is_found_by_what_was_said_until_then(runtime: Runtime) -> None:
    run = await order.options(id="o", attributes=region.of("eu")).start("lamp")
    await run.signal(go_on, "")
    await settle()
    await runtime.management.fork("o", 1, "before")
    await runtime.management.fork("o", 2, "after")
    assert await found(runtime, step.of("paying") | region.of("eu")) == {"before"}
    assert await found(runtime, step.of("shipping") | region.of("eu")) == {"o", "after"}


async def test_a_fork_of_what_an_older_version_began_keeps_what_it_was_given(
    runtime: Runtime, clock: ManualClock
) -> None:
    given = region.of("eu") | step.of("shipping")
    started = ExecutionStarted("old", "order", order.calls.encode_arguments({"sku": "lamp"}), seed="seed")
    now_s = clock.now_s()
    await runtime.orchestrator.begin(NewExecution(started, "digest", now_s, now_s, attributes=given))
    await order.get("old").signal(go_on, "")
    await settle()
    await runtime.management.fork("old", 1, "new")
    assert await found(runtime, region.of("eu")) == {"old", "new"}
    assert await found(runtime, step.of("paying")) == {"new"}
    await order.get("new").signal(go_on, "")
    await order.get("new").signal(go_on, "")
    assert await order.get("new").result() == "lamp from None, None"
