"""Forks in a test environment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from client_kit import manage
from service_kit import ExecutionExists, Retry, Service, duration, task, workflow
from service_kit.testing import TestEnvironment


@task(retry=Retry(max_attempts=1))
async def charge(order_id: str) -> str:
    return f"payment of {order_id}"


@workflow
async def process(order_id: str) -> str:
    await duration(days=1)
    return await charge(order_id)


class Payments(Service):
    process = process


def test_what_failed_is_forked_and_goes_well_with_other_code() -> None:
    with TestEnvironment(Payments) as env:
        env.mock(charge).raises(ValueError("no"))
        failed = env.start(process, "o-1")
        env.advance(timedelta(days=2))
        assert failed.status() == "failed"
        env.mock(charge).restore()
        forked = env.fork(failed, 2, "again")
        assert env.run_until_complete(forked) == "payment of o-1"
        assert [call.execution for call in env.calls_of(charge)] == [failed.id, "again"]
        with pytest.raises(ExecutionExists):
            env.run(manage(env.client).fork(failed.id, 1, "again"))
