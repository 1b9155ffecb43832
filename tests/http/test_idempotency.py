"""`Idempotency-Key`: once, whatever happens."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from service_kit import ApiKey, Service, ServiceError, command
from service_kit.contract.service import contract_of
from service_kit.http import Application, AsgiApplication, HttpOptions
from service_kit.runtime.idempotency import KeptAnswer
from service_kit.stores.memory.idempotency import MemoryIdempotencyStore
from tests.http.conftest import Ask

runs: list[str] = []


class Refused(ServiceError, status=409):
    pass


class Down(ServiceError, status=503):
    pass


async def any_key(key: str) -> str | None:
    return key


@command(errors=[Refused, Down])
async def pay(amount: int, outcome: str = "") -> int:
    runs.append(f"{amount} {outcome}")
    match outcome:
        case "refused":
            raise Refused
        case "down":
            raise Down
        case "broken":
            raise RuntimeError
    return len(runs)


@command(security=[ApiKey(any_key)])
async def pay_as(amount: int) -> int:
    runs.append(f"{amount}")
    return len(runs)


@command(method="GET")
async def look() -> int:
    runs.append("look")
    return len(runs)


class Bank(Service):
    pay = pay
    pay_as = pay_as
    look = look


@pytest.fixture
def bank() -> Any:
    runs.clear()
    return Bank.asgi()


def test_the_first_answer_is_given_again(ask: Ask, bank: Any) -> None:
    first = ask(bank, "POST", "/rpc/pay", json={"amount": 5}, headers={"idempotency-key": "a"})
    again = ask(bank, "POST", "/rpc/pay", json={"amount": 5}, headers={"idempotency-key": "a"})
    other = ask(bank, "POST", "/rpc/pay", json={"amount": 5}, headers={"idempotency-key": "b"})
    assert (first.json(), again.json(), other.json()) == (1, 1, 2)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == "application/json"


def test_a_declared_error_is_an_answer_too(ask: Ask, bank: Any) -> None:
    request: dict[str, Any] = {
        "json": {"amount": 1, "outcome": "refused"},
        "headers": {"idempotency-key": "a"},
    }
    assert [ask(bank, "POST", "/rpc/pay", **request).json()["type"] for _ in range(2)] == [
        "urn:problem-type:bank:Refused"
    ] * 2
    assert len(runs) == 1


@pytest.mark.parametrize(("outcome", "status"), [("broken", 500), ("down", 503)])
def test_an_undecided_call_frees_its_key(ask: Ask, bank: Any, outcome: str, status: int) -> None:
    request: dict[str, Any] = {"json": {"amount": 1, "outcome": outcome}, "headers": {"idempotency-key": "a"}}
    assert [ask(bank, "POST", "/rpc/pay", **request).status_code for _ in range(2)] == [status, status]
    assert len(runs) == 2


def test_invalid_input_does_not_use_up_a_key(ask: Ask, bank: Any) -> None:
    headers = {"idempotency-key": "a"}
    assert ask(bank, "POST", "/rpc/pay", json={"amount": "x"}, headers=headers).status_code == 422
    assert ask(bank, "POST", "/rpc/pay", json={"amount": 5}, headers=headers).json() == 1


def test_a_key_used_with_another_request_is_refused(ask: Ask, bank: Any) -> None:
    ask(bank, "POST", "/rpc/pay", json={"amount": 5}, headers={"idempotency-key": "a"})
    response = ask(bank, "POST", "/rpc/pay", json={"amount": 6}, headers={"idempotency-key": "a"})
    assert (response.status_code, response.json()["type"]) == (
        422,
        "urn:problem-type:service-kit:idempotency-mismatch",
    )


def test_one_callers_key_is_not_anothers(ask: Ask, bank: Any) -> None:
    def pay_with(key: str) -> int:
        headers = {"idempotency-key": "a", "x-api-key": key}
        return int(ask(bank, "POST", "/rpc/pay_as", json={"amount": 5}, headers=headers).json())

    assert [pay_with("ann"), pay_with("bob"), pay_with("ann")] == [1, 2, 1]


def test_keys_mean_nothing_to_idempotent_commands(ask: Ask, bank: Any) -> None:
    assert [ask(bank, "GET", "/look", headers={"idempotency-key": "a"}).json() for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_malformed_keys_are_refused(ask: Ask, bank: Any, key: str) -> None:
    headers = {"idempotency-key": key.encode("latin-1")}
    assert ask(bank, "POST", "/rpc/pay", json={"amount": 1}, headers=headers).status_code == 400


def test_of_concurrent_calls_with_one_key_one_runs_and_the_others_are_told_to_wait() -> None:
    started = 0
    go_on = asyncio.Event()

    @command
    async def slow() -> int:
        nonlocal started
        started += 1
        await go_on.wait()
        return started

    class Slow(Service):
        slow_ = slow

    async def run() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(Slow.asgi()), base_url="http://t"
        ) as client:

            async def call() -> httpx.Response:
                return await client.post("/rpc/slow_", headers={"idempotency-key": "a"})

            calls = [asyncio.create_task(call()) for _ in range(3)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            go_on.set()
            return [*await asyncio.gather(*calls), await call()]

    *concurrent, later = asyncio.run(run())
    assert sorted(r.status_code for r in concurrent) == [200, 409, 409]
    assert {r.headers.get("retry-after") for r in concurrent} == {None, "1"}
    assert (later.json(), started) == (1, 1)


def test_a_cancelled_call_frees_its_key() -> None:
    entered = asyncio.Event()

    @command
    async def stuck(first: bool) -> str:
        if first:
            entered.set()
            await asyncio.Event().wait()
        return "done"

    class Stuck(Service):
        stuck_ = stuck

    async def run() -> tuple[int, int]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(Stuck.asgi()), base_url="http://t"
        ) as client:
            headers = {"idempotency-key": "a"}
            call = asyncio.create_task(client.post("/rpc/stuck_", json={"first": True}, headers=headers))
            await entered.wait()
            other = await client.post("/rpc/stuck_", json={"first": False}, headers=headers)
            call.cancel()
            await asyncio.wait([call])
            later = await client.post("/rpc/stuck_", json={"first": False}, headers=headers)
            return other.status_code, later.status_code

    assert asyncio.run(run()) == (422, 200)


def test_a_caller_who_hangs_up_while_the_answer_is_kept_does_not_free_its_key() -> None:
    keeping = asyncio.Event()
    ran: list[int] = []

    class SlowStore(MemoryIdempotencyStore):
        async def keep(self, key: str, answer: KeptAnswer) -> None:
            keeping.set()
            await asyncio.sleep(0)
            await super().keep(key, answer)

    @command
    async def charge() -> int:
        ran.append(1)
        return len(ran)

    class Till(Service):
        charge_ = charge

    application = AsgiApplication(Application(contract_of(Till), HttpOptions(), SlowStore(time.monotonic)))

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(application), base_url="http://t"
        ) as client:
            headers = {"idempotency-key": "a"}
            call = asyncio.create_task(client.post("/rpc/charge_", headers=headers))
            await keeping.wait()
            call.cancel()
            await asyncio.wait([call])
            await asyncio.sleep(0)
            return await client.post("/rpc/charge_", headers=headers)

    assert (asyncio.run(run()).json(), ran) == (1, [1])
