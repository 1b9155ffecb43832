"""Queues, bus, timers and blobs over both emulators; and how batches are divided and sent again."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

import boto3  # type: ignore[import-untyped] # it has no types
import pytest

from service_kit.contract.at_rest import Codec
from service_kit.messaging.batches import Entry, NotAccepted, batches, send_all
from service_kit.messaging.blobs import S3Blobs
from service_kit.messaging.bus import EventBus, read_event
from service_kit.messaging.queues import Message, Queues, queue_name
from service_kit.messaging.timers import AwsTimers, Schedules, Wake
from service_kit.runtime.records import PublishedEvent
from service_kit.stores.packed.codec import Codecs, Zlib
from service_kit.stores.packed.packer import Packer
from service_kit.stores.packed.store import LARGE_BYTES
from tests.stores.emulators import client_options

pytestmark = pytest.mark.anyio

NOW_S = 1_700_000_000.0


def _client(emulator: str, service: str) -> Any:
    return boto3.client(service, **client_options(emulator))


def _queue(emulator: str) -> tuple[Any, str]:
    sqs = _client(emulator, "sqs")
    return sqs, sqs.create_queue(QueueName=f"q-{secrets.token_hex(4)}")["QueueUrl"]


def _received(sqs: Any, url: str) -> list[str]:
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
    return found


def _bucket(emulator: str) -> S3Blobs:
    s3 = _client(emulator, "s3")
    name = f"b-{secrets.token_hex(4)}"
    s3.create_bucket(Bucket=name)
    return S3Blobs(s3, name)


async def test_more_messages_than_a_batch_takes_all_arrive(emulator: str) -> None:
    sqs, url = _queue(emulator)
    bodies = [f"message {number}" for number in range(23)]
    await Queues(sqs).send(url, [Message(body, body) for body in bodies])
    assert sorted(_received(sqs, url)) == sorted(bodies)


async def test_texts_with_characters_that_sqs_refuses_arrive(emulator: str) -> None:
    sqs, url = _queue(emulator)
    text = json.dumps("no character: \ufffe, \uffff, but ü", ensure_ascii=False)
    await Queues(sqs).send(url, [Message("1", text)])
    await AwsTimers(Queues(sqs), url, None).set(Wake("x \uffff", NOW_S), NOW_S)
    first, second = _received(sqs, url)
    assert json.loads(first) == json.loads(text)
    assert "ü" in first
    assert Wake.decode(second) == Wake("x \uffff", NOW_S)


async def test_what_eventbridge_writes_anew_has_no_character_that_sqs_refuses(emulator: str) -> None:
    sent: list[str] = []

    class Client:
        def put_events(self, Entries: Sequence[Any]) -> Any:
            sent.extend(entry["Detail"] for entry in Entries)
            return {"Entries": [{}]}

    payloads = Packer(Codecs(()), None, LARGE_BYTES, lambda: NOW_S)
    event = PublishedEvent("e-1", "Placed", "orders", NOW_S, '"no character: \uffff"', "trace")
    await EventBus(Client(), "bus", payloads).put([event])
    anew = json.dumps(json.loads(sent[0]), ensure_ascii=False)
    sqs, url = _queue(emulator)
    sqs.send_message(
        QueueUrl=url, MessageBody=f'{{"detail-type": "Placed", "source": "orders", "detail": {anew}}}'
    )
    (body,) = _received(sqs, url)
    found = await read_event(json.loads(body), payloads)
    assert json.loads(found.payload) == json.loads(event.payload)


async def test_a_queue_is_found_by_its_name(emulator: str) -> None:
    sqs, url = _queue(emulator)
    assert await Queues(sqs).url(url.rsplit("/", 1)[1]) == url


async def test_large_values_lie_in_a_bucket(emulator: str) -> None:
    payloads, large = (
        Packer(Codecs(()), _bucket(emulator), LARGE_BYTES, lambda: NOW_S),
        json.dumps("x" * 300_000),
    )
    folded = await payloads.fold(large, "o-1", 2)
    assert len(folded) < 120
    assert await payloads.unfold(folded) == large
    assert await payloads.fold('"small"', "o-1") == '"small"'


@pytest.mark.parametrize(("size", "codecs"), [(10, []), (10, [Zlib(over_bytes=-1)]), (300_000, [])])
async def test_an_event_comes_out_of_the_bus_as_it_was_put_in(
    emulator: str, size: int, codecs: Sequence[Codec]
) -> None:
    events, bus = _client(emulator, "events"), f"bus-{secrets.token_hex(4)}"
    sqs, url = _queue(emulator)
    events.create_event_bus(Name=bus)
    events.put_rule(Name=f"r-{bus}", EventBusName=bus, EventPattern=json.dumps({"detail-type": ["Placed"]}))
    arn = Queues(sqs).arn(url)
    events.put_targets(Rule=f"r-{bus}", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
    payloads = Packer(Codecs(codecs), _bucket(emulator), LARGE_BYTES, lambda: NOW_S)
    event = PublishedEvent("e-1", "Placed", "orders", NOW_S, json.dumps({"note": "ü" * size}), "trace")
    other = PublishedEvent("e-2", "Shipped", "orders", NOW_S, "{}")
    await EventBus(events, bus, payloads).put([event, other])
    (body,) = _received(sqs, url)
    assert ('"data"' in body) == (size < 100 and not codecs)
    found = await read_event(json.loads(body), payloads)
    assert json.loads(found.payload) == json.loads(event.payload)
    assert (found.id, found.name, found.source, found.time_s, found.trace) == (
        "e-1",
        "Placed",
        "orders",
        NOW_S,
        "trace",
    )


async def test_a_wake_up_of_the_next_minutes_is_a_delayed_message(emulator: str) -> None:
    sqs, url = _queue(emulator)
    await AwsTimers(Queues(sqs), url, None).set(Wake("x", NOW_S), NOW_S)
    (body,) = _received(sqs, url)
    assert Wake.decode(body) == Wake("x", NOW_S)


async def test_a_later_wake_up_is_scheduled_once_and_deleted_after_it(emulator: str) -> None:
    scheduler, group = _client(emulator, "scheduler"), f"g-{secrets.token_hex(4)}"
    sqs, url = _queue(emulator)
    scheduler.create_schedule_group(Name=group)
    timers = AwsTimers(Queues(sqs), url, Schedules(scheduler, group, "arn:aws:iam::000000000000:role/r"))
    for _ in range(2):
        await timers.set(Wake("x", NOW_S + 3_600.5), NOW_S)
    (made,) = scheduler.list_schedules(GroupName=group)["Schedules"]
    found = scheduler.get_schedule(Name=made["Name"], GroupName=group)
    assert found["ScheduleExpression"] == "at(2023-11-14T23:13:21)"
    assert found["ActionAfterCompletion"] == "DELETE"
    assert Wake.decode(found["Target"]["Input"]) == Wake("x", NOW_S + 3_600.5)


async def test_a_wake_up_of_the_far_future_is_scheduled_for_an_earlier_time(emulator: str) -> None:
    scheduler, group = _client(emulator, "scheduler"), f"g-{secrets.token_hex(4)}"
    sqs, url = _queue(emulator)
    scheduler.create_schedule_group(Name=group)
    timers = AwsTimers(Queues(sqs), url, Schedules(scheduler, group, "arn:aws:iam::000000000000:role/r"))
    await timers.set(Wake("x", NOW_S + 1e12), NOW_S)
    (made,) = scheduler.list_schedules(GroupName=group)["Schedules"]
    found = scheduler.get_schedule(Name=made["Name"], GroupName=group)
    assert found["ScheduleExpression"] == "at(2033-11-11T22:13:20)"
    assert Wake.decode(found["Target"]["Input"]) == Wake("x", NOW_S + 1e12)


def _entries(*sizes: int) -> list[Entry]:
    return [Entry(str(number), {}, size) for number, size in enumerate(sizes)]


def test_batches_hold_ten_entries_and_256_kb() -> None:
    assert [len(batch) for batch in batches(_entries(*[1] * 23))] == [10, 10, 3]
    assert [len(batch) for batch in batches(_entries(100_000, 100_000, 100_000, 300_000, 1))] == [2, 1, 1, 1]


async def test_what_was_not_accepted_is_sent_again_and_nothing_else() -> None:
    sent: list[list[str]] = []

    def send(batch: Sequence[Entry]) -> Sequence[int]:
        sent.append([entry.id for entry in batch])
        return [1, 2] if len(sent) == 1 else []

    await send_all("the queue", send, _entries(1, 1, 1))
    assert sent == [["0", "1", "2"], ["1", "2"]]


async def test_what_is_never_accepted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_: float) -> None: ...

    monkeypatch.setattr("service_kit.messaging.batches.asyncio.sleep", at_once)
    with pytest.raises(NotAccepted) as told:
        await send_all("the queue", lambda batch: [0], _entries(1))
    assert told.value.ids == ("0",)


@pytest.mark.parametrize("name", ["charge_card", "zahle_für", "x" * 100])
def test_names_of_queues_are_what_sqs_takes(name: str) -> None:
    made = queue_name("orders-", name)
    assert made.isascii()
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert len(made) <= 80
    assert made != queue_name("orders-", name + "ö")


def test_a_name_that_sqs_takes_stays() -> None:
    assert queue_name("orders-", "charge_card") == "orders-charge_card"
    assert queue_name("orders-", "count", "on-") == "orders-on-count"
