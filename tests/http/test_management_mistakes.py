"""What operators ask for and cannot have: each answer says what there is instead."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from client_kit import Discarded, InProcessTransport, Manager, ProblemError, connect, manage
from client_kit.letters import PAGE_MOST
from service_kit import (
    Event,
    ExecutionExists,
    ExecutionNotFound,
    LocalHost,
    Retry,
    Service,
    Signal,
    subscription,
    workflow,
)
from service_kit.stores.dynamodb.keys import delivery_place

seen: list[int] = []
go_on = Signal("go_on", str)
amount = Signal("amount", int)


class Counted(Event):
    count: int


class Unheard(Event):
    pass


@subscription(Counted)
async def count(event: Counted) -> None:
    seen.append(event.count)


@workflow
async def wait() -> str:
    return await go_on.receive()


class Counter(Service):
    wait = wait
    amount = amount


def run(
    path: Path,
    test: Callable[[LocalHost, Manager, Counter], Awaitable[None]],
    service: type[Counter] = Counter,
) -> None:
    async def main() -> None:
        async with (
            LocalHost(service, path / "counter.db") as host,
            connect(service, "http://t", transport=InProcessTransport(host.asgi())) as client,
        ):
            await test(host, manage(client), client)

    asyncio.run(main())


def test_an_event_that_the_service_does_not_know_is_refused_with_those_that_it_knows(tmp_path: Path) -> None:
    class Unknown(Event):
        pass

    async def test(host: LocalHost, manager: Manager, client: Counter) -> None:
        with pytest.raises(ProblemError) as caught:
            await manager.emit(Counted(count=1), Unknown())
        assert (caught.value.status, caught.value.members["event"]) == (422, "Unknown")
        assert caught.value.members["known"] == ["Counted", "Unheard"]
        transport = httpx.ASGITransport(host.asgi(), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            events = [{"name": "Counted", "payload": {"count": "many"}}]
            answer = await http.post("/_system/events", json={"events": events})
            assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["count"])
        await manager.emit(Counted(count=2), Unheard())
        async with asyncio.timeout(30):
            while not seen:
                await asyncio.sleep(0.005)
        assert seen == [2]

    seen.clear()
    run(tmp_path, test)


def test_dead_letters_of_no_subscription_are_refused_with_the_subscriptions_that_there_are(
    tmp_path: Path,
) -> None:
    async def test(host: LocalHost, manager: Manager, client: Counter) -> None:
        with pytest.raises(ProblemError) as caught:
            await manager.redrive("typo")
        assert (caught.value.status, caught.value.members["subscription"]) == (404, "typo")
        assert caught.value.members["known"] == ["count"]
        assert await manager.redrive("count") == 0
        with pytest.raises(ProblemError) as caught:
            await manager.discard("typo", "e-1")
        assert (caught.value.status, caught.value.members["known"]) == (404, ["count"])
        assert await manager.discard("count", "e-1", "e-2") == Discarded(0, ["e-1", "e-2"])
        assert await manager.discard("count") == Discarded(0, [])
        with pytest.raises(ProblemError) as caught:
            await manager.dead_letter("count", "e-1")
        assert (caught.value.status, caught.value.members["event_id"]) == (404, "e-1")

    run(tmp_path, test)


def test_events_of_a_former_subscription_are_discarded_beside_any_number_of_unknown_ones(
    tmp_path: Path,
) -> None:
    @subscription(Counted, retry=Retry(max_attempts=1))
    async def audit(event: Counted) -> None:
        raise ValueError("the books are closed")

    former = ModuleType("former")
    vars(former)["audit"] = audit

    class Audited(Counter, include=[former]):
        pass

    async def fail(host: LocalHost, manager: Manager, client: Counter) -> None:
        await manager.emit(Counted(count=1))
        async with asyncio.timeout(30):
            while not await manager.dead_letters():
                await asyncio.sleep(0.005)

    async def discard(host: LocalHost, manager: Manager, client: Counter) -> None:
        (letter,) = await manager.dead_letters()
        typos = [f"typo-{number}" for number in range(PAGE_MOST)]
        with pytest.raises(ProblemError) as caught:
            await manager.discard("audit", *typos, "typo")
        assert (caught.value.status, caught.value.members["known"]) == (404, ["count"])
        assert await manager.discard("audit", *typos, letter.event_id) == Discarded(1, typos)
        assert await manager.discard("audit", letter.event_id, *typos) == Discarded(0, typos)

    run(tmp_path, fail, Audited)
    run(tmp_path, discard)


def test_names_that_are_too_long_for_a_store_are_refused_with_their_limit(tmp_path: Path) -> None:
    async def test(host: LocalHost, manager: Manager, client: Counter) -> None:
        long_name, long_id = "s" * 256, "e" * 2049
        for call, place, most in (
            (manager.list_dead_letters(subscription=long_name), ["subscription"], 255),
            (manager.redrive(long_name), ["subscription"], 255),
            (manager.redrive("count", long_id), ["event_id"], 2048),
            (manager.dead_letter(long_name, "e-1"), ["subscription"], 255),
            (manager.dead_letter("count", long_id), ["event_id"], 2048),
            (manager.discard(long_name, "e-1"), ["subscription"], 255),
            (manager.discard("count", "e-1", long_id), ["event_ids", 1], 2048),
        ):
            with pytest.raises(ProblemError) as caught:
                await call
            (mistake,) = caught.value.members["errors"]
            assert (caught.value.status, mistake["loc"]) == (422, ["body", *place])
            assert mistake["msg"] == f"String should have at most {most} characters"
        fits = "\N{RABBIT}" * 255
        assert len(delivery_place("e-1", fits)[1].encode()) <= 1024
        with pytest.raises(ProblemError) as caught:
            await manager.dead_letter(fits, "e" * 2048)
        assert caught.value.status == 404

    run(tmp_path, test)


def test_a_signal_of_the_class_whose_payload_does_not_fit_is_refused_and_never_reaches_the_execution(
    tmp_path: Path,
) -> None:
    async def test(host: LocalHost, manager: Manager, client: Counter) -> None:
        execution = await client.wait.start()
        with pytest.raises(ProblemError) as caught:
            await execution.signal(Signal("amount", str), "many")
        assert (caught.value.status, caught.value.members["signal"]) == (422, "amount")
        (mistake,) = caught.value.members["errors"]
        assert mistake["msg"].startswith("Input should be a valid integer")
        await execution.signal(amount, 1)
        await execution.signal(go_on, "a signal of the workflow's own is not checked")
        assert await execution.result() == "a signal of the workflow's own is not checked"
        received = [event for event in await execution.history() if event["kind"] == "SignalReceived"]
        assert [event["name"] for event in received] == ["amount", "go_on"]

    run(tmp_path, test)


def test_a_signal_whose_name_is_almost_one_of_the_class_is_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(host: LocalHost, manager: Manager, client: Counter) -> None:
        handle = await client.wait.start()
        await handle.signal(Signal("amuont", int), 1)
        await handle.signal(go_on, "a name of the module's own")
        assert await handle.result() == "a name of the module's own"

    run(tmp_path, test)
    at_the_service, at_the_client = (text for text in caplog.messages if "was sent signal" in text)
    assert at_the_service.endswith(
        "was sent signal 'amuont', which the class does not name; if it meant 'amount', send that"
    )
    assert at_the_client.endswith("was sent signal 'amuont'; the service declares 'amount'")


def test_a_fork_that_cannot_be_is_refused_with_what_can(tmp_path: Path) -> None:
    async def test(host: LocalHost, manager: Manager, client: Counter) -> None:
        await client.wait.options(id="w").start()
        with pytest.raises(
            ProblemError, match="'w' has turns 1 to 1 to fork from; 7 is none of them"
        ) as caught:
            await manager.fork("w", 7, "again")
        assert caught.value.status == 422
        await manager.fork("w", 1, "again")
        await client.wait.get("again").signal(go_on, "now")
        assert await client.wait.get("again").result() == "now"
        with pytest.raises(ExecutionExists):
            await manager.fork("w", 1, "again")

    run(tmp_path, test)


@pytest.mark.parametrize(
    "cursor", ["garbage", "1.2.3/count/e-1", "1.5/count", "1.5//e-1", f"{'9' * 400}/count/e-1"]
)
def test_dead_letters_and_histories_from_nowhere_are_refused(tmp_path: Path, cursor: str) -> None:
    async def test(host: LocalHost, manager: Manager, client: Counter) -> None:
        with pytest.raises(ProblemError) as caught:
            await manager.list_dead_letters(after=cursor)
        assert (caught.value.status, caught.value.members["errors"][0]["loc"]) == (422, ["body", "after"])
        with pytest.raises(ProblemError) as caught:
            await manager.history_page("nobody", after=cursor)
        assert (caught.value.status, caught.value.members["errors"][0]["loc"]) == (422, ["body", "after"])
        with pytest.raises(ExecutionNotFound):
            await manager.history_page("nobody", after="0/1")

    run(tmp_path, test)


@pytest.mark.parametrize("query", ["after=garbage", "after=1.2.3/x", "attribute=region", "attribute==eu"])
def test_a_list_from_nowhere_or_by_half_an_attribute_is_refused(tmp_path: Path, query: str) -> None:
    async def test(host: LocalHost, manager: Manager, client: Counter) -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(host.asgi()), base_url="http://t") as http:
            answer = await http.get(f"/_system/executions?{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["loc"][1] == query.partition("=")[0]

    run(tmp_path, test)


def test_an_id_that_no_store_could_have_is_refused_where_it_is_chosen(tmp_path: Path) -> None:
    async def test(host: LocalHost, manager: Manager, client: Counter) -> None:
        longest = "🎉" * 500
        assert (await client.wait.options(id=longest).start()).id == longest
        started = client.wait.options(id=longest + "!").start()
        for choosing in (started, manager.fork(longest, 1, longest + "!")):
            with pytest.raises(ProblemError, match="at most 500 characters") as refused:
                await choosing
            assert refused.value.status == 422
        with pytest.raises(ExecutionNotFound):
            await client.wait.get(longest + ":1" * 23).status()
        with pytest.raises(ProblemError, match="at most 2046 bytes") as refused:
            await client.wait.get(longest + ":1" * 24).status()
        assert refused.value.status == 422

    run(tmp_path, test)
