"""A durable service on an emulator of AWS, by its template: table, streams, queues, bus, timers and all functions."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3  # type: ignore[import-untyped] # it has no types
import pytest

from client_kit import connect, manage
from tests.aws.emulator import Emulator
from tests.aws.parcels import Parcels

pytestmark = pytest.mark.usefixtures("localhost_names")

PATIENCE_S = 240.0
WORD = "porcelain"


@dataclass(frozen=True)
class Stack:
    """What was deployed."""

    url: str
    bucket: str
    s3: Any


@pytest.fixture(scope="module")
def stack(aws: Emulator) -> Iterator[Stack]:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=aws.environment["AWS_ENDPOINT_URL"], **keys)
    with aws.deployed("tests.aws.deployments:parcels", "parcels") as outputs:
        yield Stack(aws.http_url(outputs["ApiId"]), outputs["Bucket"], s3)


def test_workflows_tasks_timers_events_and_signals_work_together(stack: Stack) -> None:
    async def run() -> str:
        async with connect(Parcels, stack.url) as parcels, asyncio.timeout(PATIENCE_S):
            execution = await parcels.send.options(id="p-1").start("p-1")
            while await execution.state(Parcels.stage) != "sent":
                await asyncio.sleep(0.1)
            await parcels.announce("p-1")
            return await execution.result()

    assert asyncio.run(run()) == "p-1 packed, 3 kg; heard Sent, Announced"


def test_a_megabyte_goes_by_the_bucket_where_nobody_can_read_it(stack: Stack) -> None:
    contents = WORD + base64.b64encode(random.Random(7).randbytes(750_000)).decode()

    async def run() -> str:
        async with connect(Parcels, stack.url) as parcels, asyncio.timeout(PATIENCE_S):
            execution = await parcels.store.options(id="s-1").start("s-1", contents)
            return await execution.result()

    assert asyncio.run(run()) == f"{len(contents)} stored, 300000 measured"
    names = [found["Key"] for found in stack.s3.list_objects_v2(Bucket=stack.bucket)["Contents"]]
    bodies = [stack.s3.get_object(Bucket=stack.bucket, Key=name)["Body"].read().decode() for name in names]
    assert any("/s-1/0/" in name for name in names)
    assert all(body.startswith("~shifted-1:") and WORD not in body for body in bodies)


def test_an_event_that_no_handler_can_take_is_delivered_once_that_is_mended(stack: Stack) -> None:
    async def run() -> None:
        async with connect(Parcels, stack.url) as parcels, asyncio.timeout(PATIENCE_S):
            operator = manage(parcels)
            await parcels.announce("p-2")  # which is not there yet
            while not (letters := await operator.dead_letters(subscription="tell")):
                await asyncio.sleep(0.1)
            (letter,) = letters
            assert (letter.payload, letter.attempts) == ({"parcel": "p-2"}, 2)
            assert letter.error == "service_kit.errors:ExecutionNotFound"
            assert "await send.get(event.parcel).signal(heard, type(event).__name__)" in letter.traceback
            execution = await parcels.send.options(id="p-2").start("p-2")
            assert await operator.redrive("tell", letter.event_id) == 1
            assert sorted((await execution.result()).partition("heard ")[2].split(", ")) == [
                "Announced",
                "Sent",
            ]
            assert await operator.dead_letters() == []

    asyncio.run(run())


def test_a_schedule_is_listed_paused_and_run_now_and_its_run_can_be_forked(stack: Stack) -> None:
    async def run() -> None:
        async with connect(Parcels, stack.url) as parcels, asyncio.timeout(PATIENCE_S):
            operator = manage(parcels)
            started = await operator.trigger_schedule("close_books")
            while not (await operator.list_executions(workflow="close_books")).executions:
                await asyncio.sleep(0.1)
            result = await parcels.close_books.get(started).result()
            await operator.fork(started, 1, "books-again")
            assert await parcels.close_books.get("books-again").result() == result
            await operator.pause_schedule("close_books", "holidays")
            while (await operator.schedules())[0].paused is None:
                await asyncio.sleep(0.1)
            (schedule,) = await operator.schedules()
            assert (schedule.workflow, schedule.cron, schedule.paused, schedule.next_at_s) == (
                "close_books",
                "0 9 * * *",
                "holidays",
                None,
            )

    asyncio.run(run())
