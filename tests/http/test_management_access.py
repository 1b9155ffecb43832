"""Who may use the management API."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_kit import ClientOptions, ContractDrift, InProcessTransport, connect
from service_kit import ApiKey, Event, LocalHost, Service, Signal, subscription, workflow


@workflow
async def approve(number: int) -> int:
    return number


@workflow
async def wait() -> None:
    await Signal("go_on", str).receive()


class Stamped(Event):
    pass


@subscription(Stamped)
async def stamp(event: Stamped) -> None: ...


class Office(Service):
    """Approve things."""

    approve = approve
    wait = wait


async def one_key(key: str) -> str | None:
    return key if key == "k" else None


async def operators_key(key: str) -> str | None:
    return key if key == "operator" else None


class LockedOffice(
    Office,
    security=[ApiKey(one_key)],
    management=[ApiKey(operators_key, parameter="X-Operator-Key", name="operator")],
):
    pass


@pytest.mark.parametrize(("peer", "headers", "status"), [
    (("127.0.0.1", 1), {}, 200),
    (("::1", 1), {}, 200),
    (("10.0.0.5", 1), {}, 403),
    (("127.0.0.1", 1), {"x-forwarded-for": "10.0.0.5"}, 403),
    (None, {}, 403),
    (("127.0.0.1", 1), {"x-real-ip": "10.0.0.5"}, 403),
    (("127.0.0.1", 1), {"via": "1.1 proxy"}, 403),
    (("127.0.0.1", 1), {"origin": "https://evil.example"}, 403),
    (("127.0.0.1", 1), {"origin": "null"}, 403),
    (("127.0.0.1", 1), {"origin": "http://["}, 403),
    (("127.0.0.1", 1), {"host": "evil.example:8000"}, 403),
    (("127.0.0.1", 1), {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}, 200),
    (("::1", 1), {"host": "[::1]:8000", "origin": "http://localhost:8000"}, 200),
])  # fmt: skip
def test_without_a_scheme_only_this_machine_is_admitted_and_no_page_from_elsewhere(
    tmp_path: Path, peer: Any, headers: dict[str, str], status: int
) -> None:
    async def main() -> None:
        async with LocalHost(Office, tmp_path / "office.db") as host:
            application = host.asgi()

            async def from_peer(scope: Any, receive: Any, send: Any) -> None:
                await application({**scope, "client": peer}, receive, send)

            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(from_peer), base_url="http://t"
            ) as http:
                for method, path in (
                    ("GET", "/_system/executions"),
                    ("POST", "/rpc/_system.list_executions"),
                ):
                    response = await http.request(method, path, headers=headers)
                    assert response.status_code == status, response.text

    asyncio.run(main())


NOBODY: dict[str, str] = {}
CALLER = {"x-api-key": "k"}
OPERATOR = {"x-operator-key": "operator"}


def test_callers_reach_executions_that_they_know_and_operators_all_of_them(tmp_path: Path) -> None:
    async def main() -> dict[str, list[int]]:
        async with LocalHost(LockedOffice, tmp_path / "locked.db") as host:
            transport = httpx.ASGITransport(host.asgi(), client=("10.0.0.5", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://t") as http:
                start = {"workflow": "approve", "input": {"number": 1}, "id": "e-1"}
                discard = {"subscription": "stamp", "event_ids": ["e-1"]}
                requests: dict[str, tuple[str, str, object]] = {
                    "start": ("POST", "/_system/executions", start),
                    "describe": ("GET", "/_system/executions/e-1", None),
                    "outcome": ("POST", "/rpc/_system.outcome", {"id": "e-1"}),
                    "list": ("GET", "/_system/executions", None),
                    "history": ("POST", "/rpc/_system.history", {"id": "e-1"}),
                    "turns": ("GET", "/_system/executions/e-1/turns", None),
                    "terminate": ("POST", "/_system/executions/e-1/terminate", {}),
                    "emit": ("POST", "/_system/events", {"events": []}),
                    "dead letters": ("GET", "/_system/dead-letters", None),
                    "discard": ("POST", "/_system/dead-letters/discard", discard),
                }
                return {
                    name: [
                        (await http.request(method, path, json=body, headers=headers)).status_code // 100
                        for headers in (NOBODY, CALLER, OPERATOR)
                    ]
                    for name, (method, path, body) in requests.items()
                }

    assert asyncio.run(main()) == {
        "start": [4, 2, 4],
        "describe": [4, 2, 4],
        "outcome": [4, 2, 4],
        "list": [4, 4, 2],
        "history": [4, 4, 2],
        "turns": [4, 4, 2],
        "terminate": [4, 4, 2],
        "emit": [4, 4, 2],
        "dead letters": [4, 4, 2],
        "discard": [4, 4, 2],
    }


def test_why_an_execution_is_paused_is_told_to_operators_alone(tmp_path: Path) -> None:
    async def main() -> list[tuple[bool, str | None]]:
        async with LocalHost(LockedOffice, tmp_path / "locked.db") as host:
            transport = httpx.ASGITransport(host.asgi(), client=("10.0.0.5", 1))
            caller = connect(
                LockedOffice,
                "http://t",
                transport=InProcessTransport(host.asgi()),
                options=ClientOptions(headers=CALLER),
            )
            async with (
                httpx.AsyncClient(transport=transport, base_url="http://t") as http,
                caller as locked,
            ):
                start = {"workflow": "wait", "id": "w-1"}
                await http.post("/_system/executions", json=start, headers=CALLER)
                reason = {"reason": "the flaw in wait() is looked at"}
                await http.post("/_system/executions/w-1/pause", json=reason, headers=OPERATOR)
                seen = await http.get("/_system/executions/w-1", headers=CALLER)
                seen_by_both = await http.get("/_system/executions/w-1", headers=CALLER | OPERATOR)
                listed = await http.get("/_system/executions", headers=OPERATOR)
                with pytest.raises(TimeoutError, match="'w-1' of 'wait' is paused; resume it: "):
                    await locked.wait.get("w-1").result(timeout_s=0)
                infos = [seen.json(), seen_by_both.json(), *listed.json()["executions"]]
                return [(info["paused"], info["paused_reason"]) for info in infos]

    told = (True, "the flaw in wait() is looked at")
    assert asyncio.run(main()) == [(True, None), told, told]


def test_a_service_without_a_durable_host_has_no_management() -> None:
    async def main() -> None:
        async with connect(Office, "http://t", transport=InProcessTransport(Office.asgi())) as office:
            with pytest.raises(ContractDrift, match="serves commands only; workflows need a durable host"):
                await office.approve.start(1)

    asyncio.run(main())
