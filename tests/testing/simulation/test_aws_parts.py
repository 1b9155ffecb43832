"""The parts of the simulated AWS, at what its documentation says of them. That the table is right, moto says:
the contract suite of the store asks both the same (`tests/stores/lockstep.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from service_kit.deploy.queues import RECEIVED_MOST
from service_kit.deploy.workers import stream_source
from service_kit.stores.dynamodb.keys import BY_DUE
from service_kit.testing.simulation.aws import deployment as simulated
from service_kit.testing.simulation.aws.bus import SchedulerClient
from service_kit.testing.simulation.aws.dynamodb import DynamoClient
from service_kit.testing.simulation.aws.errors import AwsError, Unmodelled
from service_kit.testing.simulation.aws.expressions import parse_condition, parse_update, updated
from service_kit.testing.simulation.aws.queues import Queue, SqsClient
from service_kit.testing.simulation.aws.stream import Mapping, record_of
from service_kit.testing.simulation.aws.table import Change, ModelTable
from service_kit.testing.simulation.chances import Chances
from service_kit.testing.simulation.loop import SimulatedLoop

CALM = Chances(0, calm=True)


@pytest.fixture
def loop() -> Any:
    made = SimulatedLoop()
    yield made
    made.bury()


def test_expressions_that_are_not_modelled_are_refused() -> None:
    for text in (
        "begins_with(#a, :b)",
        "#a = :b AND NOT #c = :d",
        "size(#a) < :b",
        "#a IN (:b)",
        "#a <> :b",
        "#a.#b = :c",
    ):
        with pytest.raises(Unmodelled):
            parse_condition(text)
    for text in ("SET #a = list_append(#a, :b)", "DELETE #a :b", "SET #a = #b - :c", "SET #a.#b.#c = :d"):
        with pytest.raises(Unmodelled):
            parse_update(text)


def test_members_of_a_map_are_changed_one_by_one() -> None:
    names, item = (
        {"#m": "map", "#x": "x", "#y": "y", "#z": "z"},
        {"map": {"M": {"x": {"S": "1"}, "z": {"S": "3"}}}},
    )
    update = parse_update("SET #m.#x = :x, #m.#y = :y REMOVE #m.#z, #m.#gone")
    after = updated(update, item, {**names, "#gone": "gone"}, {":x": {"S": "one"}, ":y": {"S": "two"}})
    assert after == {"map": {"M": {"x": {"S": "one"}, "y": {"S": "two"}}}}
    assert item["map"]["M"]["x"] == {"S": "1"}
    with pytest.raises(AwsError, match="document path"):
        updated(parse_update("SET #m.#x = :x"), {}, names, {":x": {"S": "one"}})


def test_requests_with_parts_that_are_not_modelled_are_refused() -> None:
    client = DynamoClient(ModelTable(), "t")
    with pytest.raises(Unmodelled, match="ReturnItemCollectionMetrics"):
        client.put_item(TableName="t", Item=_item("a"), ReturnItemCollectionMetrics="SIZE")
    with pytest.raises(TypeError):
        client.get_item(TableName="t", Key=_item("a"), AttributesToGet=["x"])  # type: ignore[call-arg]  # the point


def test_a_page_ends_where_it_is_full_and_the_next_one_goes_on() -> None:
    client = DynamoClient(ModelTable(page_bytes=200), "t")
    for number in range(20):
        client.put_item(TableName="t", Item={**_item(f"i{number:02d}"), "text": {"S": "x" * 60}})
    request: dict[str, Any] = {
        "TableName": "t",
        "KeyConditionExpression": "#pk = :pk",
        "ExpressionAttributeNames": {"#pk": "pk"},
        "ExpressionAttributeValues": {":pk": {"S": "p"}},
        "ConsistentRead": True,
    }
    found, pages = list[str](), 0
    while True:
        answer = client.query(**request)
        found, pages = [*found, *(item["sk"]["S"] for item in answer["Items"])], pages + 1
        if "LastEvaluatedKey" not in answer:
            break
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    assert found == [f"i{number:02d}" for number in range(20)]
    assert pages > 3


def test_an_index_is_late_and_a_read_may_be() -> None:
    waiting = list[Callable[[], None]]()
    table = ModelTable(index_later=lambda _, act: waiting.append(act), stale=lambda _: True)
    client = DynamoClient(table, "t")
    client.put_item(TableName="t", Item={**_item("a"), "due_pk": {"S": "w"}, "due_at": {"N": "1"}})
    assert not table.rows(BY_DUE, {"S": "w"}, consistent=False)
    assert "Item" not in client.get_item(TableName="t", Key=_item("a"))
    assert "Item" in client.get_item(TableName="t", Key=_item("a"), ConsistentRead=True)
    waiting[0]()
    assert [row["sk"]["S"] for row in table.rows(BY_DUE, {"S": "w"}, consistent=False)] == ["a"]


def test_a_transaction_that_is_sent_again_is_performed_once() -> None:
    token = ["first"]
    client = DynamoClient(ModelTable(), "t", token=lambda: token[0])
    new = {"TableName": "t", "Item": _item("a"), "ConditionExpression": "attribute_not_exists(#sk)"}
    put = {"Put": {**new, "ExpressionAttributeNames": {"#sk": "sk"}}}
    client.transact_write_items(TransactItems=[put])
    client.transact_write_items(TransactItems=[put])
    token[0] = "second"
    with pytest.raises(AwsError) as refused:
        client.transact_write_items(TransactItems=[put])
    assert refused.value.response["CancellationReasons"] == [{"Code": "ConditionalCheckFailed"}]


def test_what_is_past_its_time_to_live_is_deleted_later_and_the_stream_tells_of_it() -> None:
    table, seen = ModelTable(), list[Change]()
    client = DynamoClient(table, "t")
    client.put_item(TableName="t", Item={**_item("a"), "ttl": {"N": "100"}})
    table.changed.append(seen.append)
    table.expire(("p", "a"), 99)
    assert "Item" in client.get_item(TableName="t", Key=_item("a"), ConsistentRead=True)
    table.expire(("p", "a"), 101)
    assert [record_of(change, 1)["eventName"] for change in seen] == ["REMOVE"]


def test_records_of_one_key_come_in_order_and_a_batch_that_fails_comes_again_in_halves(
    loop: SimulatedLoop,
) -> None:
    batches = list[list[str]]()

    async def invoke(event: dict[str, Any]) -> set[str]:
        batches.append([record["dynamodb"]["Keys"]["sk"]["S"] for record in event["Records"]])
        if len(batches) <= 2:
            raise ConnectionError("the function died")
        return set()

    source = _mapping(loop, invoke)
    loop.complete(_written(source, "abcd"))
    assert batches == [["a", "b", "c", "d"], ["a", "b"], ["a"], ["b"], ["c", "d"]]


def test_a_batch_that_fails_in_part_comes_again_from_the_first_that_failed(loop: SimulatedLoop) -> None:
    batches = list[list[str]]()

    async def invoke(event: dict[str, Any]) -> set[str]:
        batches.append([record["dynamodb"]["Keys"]["sk"]["S"] for record in event["Records"]])
        return {event["Records"][1]["dynamodb"]["SequenceNumber"]} if len(batches) == 1 else set()

    loop.complete(_written(_mapping(loop, invoke), "abcd"))
    assert batches == [["a", "b", "c", "d"], ["b", "c", "d"]]


def test_a_record_that_cannot_be_handled_is_given_up_after_finite_retries_and_the_shard_goes_on(
    loop: SimulatedLoop,
) -> None:
    handled = list[str]()

    async def invoke(event: dict[str, Any]) -> set[str]:
        names = [record["dynamodb"]["Keys"]["sk"]["S"] for record in event["Records"]]
        if "b" in names:
            raise ValueError("poison")
        handled.extend(names)
        return set()

    source = _mapping(loop, invoke)
    loop.complete(_written(source, "abcd"))
    assert handled == ["a", "c", "d"]
    assert len(source.given_up) == 1


def test_a_message_comes_again_until_it_is_a_dead_letter(loop: SimulatedLoop) -> None:
    tries = list[tuple[str, str]]()

    async def invoke(event: dict[str, Any]) -> set[str]:
        tries.extend((r["body"], r["attributes"]["ApproximateReceiveCount"]) for r in event["Records"])
        return {record["messageId"] for record in event["Records"] if record["body"] == "bad"}

    queue = _queue(loop, invoke)

    async def act() -> None:
        queue.send("good")
        queue.send("bad")
        await asyncio.sleep(1_000)
        assert sorted(tries) == [*(("bad", str(n)) for n in (1, 2, 3)), ("good", "1")]
        assert [message.body for message in queue.dead] == ["bad"]
        queue.redrive()
        await asyncio.sleep(10)

    loop.complete(act())
    assert len(tries) == 5


def test_a_message_cannot_be_delayed_for_longer_than_a_quarter_of_an_hour(loop: SimulatedLoop) -> None:
    async def nobody(_: dict[str, Any]) -> set[str]:
        return set()

    client = SqsClient({"q": _queue(loop, nobody)}, lambda _: False)
    with pytest.raises(AwsError, match="DelaySeconds"):
        client.send_message_batch(
            QueueUrl="https://sqs/a/q", Entries=[{"Id": "0", "MessageBody": "x", "DelaySeconds": 901}]
        )


def test_a_schedule_is_late_and_its_name_is_taken_until_it_has_fired(loop: SimulatedLoop) -> None:
    bodies = list[str]()

    async def invoke(event: dict[str, Any]) -> set[str]:
        bodies.extend(record["body"] for record in event["Records"])
        return set()

    client = SchedulerClient(_queue(loop, invoke), CALM, loop.time, loop.call_later)
    request: dict[str, Any] = {
        "Name": "n",
        "GroupName": "g",
        "ScheduleExpression": "at(1970-01-12T13:46:50)",  # ten seconds after the loop's beginning
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {"Arn": "a", "RoleArn": "r", "Input": "wake"},
    }

    async def act() -> None:
        client.create_schedule(**request)
        with pytest.raises(client.exceptions.ConflictException):
            client.create_schedule(**request)
        await asyncio.sleep(70)
        assert bodies == ["wake"]
        client.create_schedule(**request)

    loop.complete(act())


def test_the_simulated_deployment_is_connected_as_the_template_says(loop: SimulatedLoop) -> None:
    properties: Any = stream_source("Orchestrator", []).properties
    source = Mapping("", CALM, lambda _: None, _never, lambda _: True, lambda _: None, simulated.RETRIES)
    assert properties["MaximumRetryAttempts"] == source.retries
    assert properties["BatchSize"] == source.batch
    assert properties["ParallelizationFactor"] == source.parallel
    assert properties["MaximumRecordAgeInSeconds"] == source.age_most_s
    assert properties["BisectBatchOnFunctionError"]
    assert _queue(loop, _never, received_most=None).received_most == RECEIVED_MOST


async def _never(_: dict[str, Any]) -> set[str]:
    raise AssertionError("nobody is called")


def _item(sk: str) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": sk}}


def _mapping(loop: SimulatedLoop, invoke: Any) -> Mapping:
    def start(work: Coroutine[Any, Any, None]) -> None:
        loop.create_task(work)

    return Mapping("f", CALM, start, invoke, lambda _: True, lambda _: None, retries=3)


async def _written(source: Mapping, names: str) -> None:
    for number, name in enumerate(names):
        source.put(record_of(Change(("p", name), None, _item(name)), number))
    # All are there before the first is handed over: they are one batch.
    for lane in source.lanes.values():
        for waiting in lane:
            waiting.comes_s = asyncio.get_running_loop().time() + 1
    await asyncio.sleep(500)
    assert source.idle


def _queue(loop: SimulatedLoop, invoke: Any, received_most: int | None = 3) -> Queue:
    def start(work: Coroutine[Any, Any, None]) -> None:
        loop.create_task(work)

    queue = Queue("q", CALM, start, loop.call_later, lambda _: None, invoke, visibility_s=30.0)
    if received_most is not None:
        queue.received_most = received_most
    return queue
