"""Schedules over the management API and its client, at a host on a file."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from client_kit import InProcessTransport, Manager, ProblemError, connect, manage
from service_kit import ApiKey, LocalHost, Service, workflow

ran: list[datetime] = []


@workflow(cron="0 9 * * MON", timezone="Europe/Berlin", overlap="buffer_one", catch_up_s=60)
async def report(at: datetime) -> None:
    ran.append(at)


class Reports(Service):
    """Report."""

    report = report


async def until_ran(count: int) -> None:
    async with asyncio.timeout(30):
        while len(ran) < count:
            await asyncio.sleep(0.01)


def test_an_operator_lists_pauses_runs_and_fills_in(tmp_path: Path) -> None:
    async def use(manager: Manager) -> None:
        (one,) = await manager.schedules()
        assert (one.workflow, one.cron, one.timezone) == ("report", "0 9 * * MON", "Europe/Berlin")
        assert (one.overlap, one.catch_up_s, one.last_at_s, one.waiting) == ("buffer_one", 60, None, 0)

        await manager.pause_schedule("report", "holidays")
        async with asyncio.timeout(30):
            while (one := (await manager.schedules())[0]).paused != "holidays":
                await asyncio.sleep(0.01)
        assert one.next_at_s is None
        begin, end = datetime(2025, 3, 24, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)
        assert await manager.backfill_schedule("report", begin, end) == [
            "report@2025-03-24T08:00:00Z",
            "report@2025-03-31T07:00:00Z",
        ]
        await until_ran(2)
        started = await manager.trigger_schedule("report")
        await until_ran(3)
        assert [at.hour for at in ran[:2]] == [9, 9]
        assert started.startswith("report@20")

        await manager.resume_schedule("report")
        async with asyncio.timeout(30):
            while (one := (await manager.schedules())[0]).paused is not None:
                await asyncio.sleep(0.01)
        assert one.next_at_s is not None
        assert datetime.fromtimestamp(one.next_at_s, UTC).strftime("%a") == "Mon"

    async def refuse(manager: Manager) -> None:
        now = datetime.now(UTC)
        with pytest.raises(ProblemError) as unknown:
            await manager.trigger_schedule("other")
        assert (unknown.value.status, unknown.value.members["workflow"]) == (404, "other")
        with pytest.raises(ProblemError) as invalid:
            await manager.backfill_schedule("report", now, datetime(2025, 1, 1, tzinfo=UTC))
        assert invalid.value.status == 422

    async def main() -> None:
        async with LocalHost(Reports, tmp_path / "reports.db") as host:
            transport = InProcessTransport(host.asgi())
            async with connect(Reports, "http://reports.test", transport=transport) as client:
                await use(manage(client))
                await refuse(manage(client))

    ran.clear()
    asyncio.run(main())


def test_people_find_schedules_at_routes_of_their_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with LocalHost(Reports, tmp_path / "reports.db") as host:
            transport = httpx.ASGITransport(app=host.asgi(), client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                (one,) = (await http.get("/_system/schedules")).json()
                assert one["workflow"] == "report"
                answer = await http.post("/_system/schedules/report/pause", json={})
                assert answer.status_code == 204
                answer = await http.post("/_system/schedules/none/pause", json={})
                assert answer.status_code == 404
                assert "'none' has no schedule; of this service have one: 'report'" in answer.text

    asyncio.run(main())


async def caller_key(key: str) -> str | None:
    return key if key == "k" else None


async def operator_key(key: str) -> str | None:
    return key if key == "operator" else None


class LockedReports(
    Reports,
    security=[ApiKey(caller_key)],
    management=[ApiKey(operator_key, parameter="X-Operator-Key", name="operator")],
):
    pass


def test_callers_do_not_touch_schedules_nor_what_they_have_started(tmp_path: Path) -> None:
    caller, operator = {"x-api-key": "k"}, {"x-operator-key": "operator"}
    run = "report@2025-03-24T08:00:00Z"

    async def main() -> None:
        ran.clear()
        async with LocalHost(LockedReports, tmp_path / "reports.db") as host:
            transport = httpx.ASGITransport(app=host.asgi(), client=("10.0.0.5", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://reports.test") as http:

                async def status(method: str, path: str, headers: dict[str, str], **body: object) -> int:
                    url = f"/_system/{path}"
                    answer = await http.request(method, url, headers=headers, json=body or None)
                    return answer.status_code

                fill_in = {"begin": "2025-03-24T00:00:00Z", "end": "2025-03-25T00:00:00Z"}
                assert await status("POST", "schedules/report/backfill", caller, **fill_in) == 401
                assert await status("POST", "schedules/report/backfill", operator, **fill_in) == 200
                await until_ran(1)
                signal = {"name": "schedule", "payload": {"kind": "pause", "reason": ""}, "signal_id": "s"}
                for id in (run, "schedule:report"):
                    assert await status("GET", f"executions/{id}", caller) == 404
                    assert await status("GET", f"executions/{id}", caller | operator) == 200
                    assert await status("GET", f"executions/{id}/outcome", caller) == 404
                    assert await status("POST", f"executions/{id}/signals", caller, **signal) == 404
                    assert await status("POST", f"executions/{id}/cancel", caller, reason="") == 404
                    start = {"workflow": "report", "input": {"at": "2025-01-01T00:00:00Z"}, "id": id}
                    assert await status("POST", "executions", caller, **start) == 403
                own = {"workflow": "report", "input": {"at": "2025-01-01T00:00:00Z"}, "id": "own"}
                assert await status("POST", "executions", caller, **own) == 200
                assert await status("GET", "executions/own", caller) == 200

    asyncio.run(main())


def test_a_message_that_no_scheduler_has_sent_does_not_end_a_schedule(tmp_path: Path) -> None:
    async def main() -> None:
        async with LocalHost(Reports, tmp_path / "reports.db") as host:
            await host.runtime.schedules.pause("report", None)
            await host.runtime.gateway.signal("schedule:report", "schedule", '{"kind": "what?"}', "s-1")
            await host.runtime.schedules.pause("report", "after it")
            async with asyncio.timeout(30):
                while (await host.runtime.schedules.list())[0]["paused"] != "after it":
                    await asyncio.sleep(0.01)
            with pytest.raises(ValueError, match="it cannot be forked"):
                await host.runtime.management.fork("schedule:report", 1, "another")

    asyncio.run(main())
