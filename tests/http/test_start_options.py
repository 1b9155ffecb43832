"""Every option of a start has its effect over HTTP, whether the workflow is known by its class or by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from client_kit import BoundWorkflow, InProcessTransport, ProblemError, StartOptions, connect, manage
from service_kit import ExecutionExists, LocalHost, Service, Signal, workflow

go_on = Signal("go_on", str)


@workflow
async def wait(number: int) -> str:
    return f"{await go_on.receive()} {number}"


@workflow
async def hurry(number: int) -> str:
    return f"done {number}"


class Waiting(Service):
    """Wait."""

    wait = wait
    hurry = hurry


class Starts:
    """The workflows of the service, as a client has them."""

    def __init__(self, named: Callable[[str], BoundWorkflow[..., Any]]) -> None:
        self.wait = named("wait")
        self.hurry = named("hurry")


def run(path: Path, by_name: bool, test: Callable[[Starts], Awaitable[None]]) -> None:
    async def main() -> None:
        async with (
            asyncio.timeout(30),
            LocalHost(Waiting, path / "waiting.db") as host,
            connect(Waiting, "http://t", transport=InProcessTransport(host.asgi())) as client,
        ):
            await test(Starts(manage(client).workflow if by_name else partial(getattr, client)))

    asyncio.run(main())


both_ways = pytest.mark.parametrize("by_name", [False, True], ids=["by class", "by name"])


@both_ways
def test_an_id_makes_the_start_idempotent(tmp_path: Path, by_name: bool) -> None:
    async def test(starts: Starts) -> None:
        named = starts.wait.options(id="w-1")
        assert [(await named.start(number=1)).id for _ in range(2)] == ["w-1", "w-1"]
        with pytest.raises(ExecutionExists):
            await named.start(number=2)

    run(tmp_path, by_name, test)


@both_ways
def test_a_timeout_ends_the_execution(tmp_path: Path, by_name: bool) -> None:
    async def test(starts: Starts) -> None:
        execution = await starts.wait.options(timeout_s=0.01).start(number=1)
        with pytest.raises(TimeoutError, match=r"within 0\.01 s"):
            await execution.result()
        assert await execution.status() == "timed_out"

    run(tmp_path, by_name, test)


@both_ways
def test_a_delayed_execution_begins_when_its_time_has_come(tmp_path: Path, by_name: bool) -> None:
    async def test(starts: Starts) -> None:
        execution = await starts.hurry.options(start_delay_s=0.2).start(number=1)
        assert await execution.result() == "done 1"
        first, *_ = await execution.history()
        assert first["at_s"] - (await execution.describe()).started_at_s >= 0.2

    run(tmp_path, by_name, test)


@both_ways
def test_attributes_are_kept_with_the_execution(tmp_path: Path, by_name: bool) -> None:
    async def test(starts: Starts) -> None:
        execution = await starts.wait.options(attributes={"desk": "7"}).start(number=1)
        assert (await execution.describe()).attributes == {"desk": "7"}

    run(tmp_path, by_name, test)


@both_ways
@pytest.mark.parametrize(
    ("option", "value"), [("timeout_s", -1.0), ("start_delay_s", -1.0), ("attributes", {"a=b": "c"})]
)
def test_an_option_that_cannot_be_is_refused_by_name(
    tmp_path: Path, by_name: bool, option: str, value: Any
) -> None:
    wrong: dict[str, Any] = {option: value}

    async def test(starts: Starts) -> None:
        with pytest.raises(ProblemError) as caught:
            await starts.wait.options(**wrong).start(number=1)
        assert (caught.value.status, caught.value.members["errors"][0]["loc"][:2]) == (422, ["body", option])

    run(tmp_path, by_name, test)


def test_these_are_all_options_that_a_start_has() -> None:
    assert [option.name for option in fields(StartOptions)] == [
        "id",
        "timeout_s",
        "start_delay_s",
        "attributes",
    ]
