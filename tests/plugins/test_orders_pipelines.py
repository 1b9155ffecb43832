"""The order pipeline both ways: what happens, what does not, and what is undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from client_kit import ServiceClient, manage
from plugins.orders.model import CardDeclined, Item, Order, OrderCancelled, ParcelRefused
from plugins.orders.service import Orders
from service_kit import ExecutionNotFound, WorkflowCancelled
from tests.plugins.orders_bench import World, eventually, with_orders


async def tasks_of(orders: ServiceClient[Orders], order: Order) -> list[str]:
    """Return the names of the tasks that an order's workflow has scheduled."""
    history = await orders.process_order.get(order.id).history()
    return [event["name"] for event in history if event["kind"] == "TaskScheduled"]


async def in_grace(orders: ServiceClient[Orders], order: Order) -> None:
    """Wait until an order is paid for and can still be called off."""

    async def paid() -> bool:
        try:
            progress = await orders.process_order.get(order.id).state(Orders.progress)
        except ExecutionNotFound:  # a batch has not begun it yet
            return False
        return progress is not None and progress.step == "in grace"

    await eventually(paid)


def test_choreography_ends_with_the_order_shipped(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("lamp", 2, pipeline="choreography")
        assert (await orders.get_order(order.id, wait_s=20)).status == "shipped"
        assert (await manage(orders).list_executions()).executions == [], "nobody is in charge"

    with_orders(world, test)
    assert world.payments.charged == {"o-1": 9_800}
    assert world.shipping.parcels == {"o-1": "track-o-1"}


def test_orchestration_ends_with_the_order_shipped(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("lamp", 2, grace_s=0)
        shipment = await orders.process_order.get(order.id).result()
        assert (shipment.payment_id, shipment.tracking_id) == ("pay-o-1", "track-o-1")
        assert (await orders.get_order(order.id)).status == "shipped"
        assert await tasks_of(orders, order) == [
            "process_payment", "update_order_status", "ship_order", "update_order_status"
        ]  # fmt: skip

    with_orders(world, test)
    assert world.payments.charged == {"o-1": 9_800}
    assert world.payments.refunded == {}


def test_ship_order_is_not_called_if_process_payment_raises(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.payments.script.fail(CardDeclined(order_id="o-1"))

    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("lamp", grace_s=0)
        run = orders.process_order.get(order.id)
        with pytest.raises(CardDeclined):
            await run.result()
        assert await run.status() == "failed"
        assert "ship_order" not in await tasks_of(orders, order)
        assert (await orders.get_order(order.id)).status == "cancelled"

    with_orders(world, test)
    assert world.payments.script.requests == 2, (
        "one charge, not tried again, and one refund that finds nothing"
    )
    assert world.payments.refunded == {}
    assert world.shipping.script.requests == 0


@pytest.mark.parametrize("answers_are_lost", [False, True])
def test_money_is_given_back_once_if_the_parcel_is_refused(tmp_path: Path, answers_are_lost: bool) -> None:
    world = World(tmp_path)
    world.shipping.script.fail(ParcelRefused(order_id="o-1"))
    if answers_are_lost:  # that of the charge, and that of the refund after it
        world.payments.script.lose_answers(2)

    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("chair", 2, grace_s=0)
        with pytest.raises(ParcelRefused):
            await orders.process_order.get(order.id).result()
        assert (await tasks_of(orders, order))[-3:] == ["recall_parcel", "refund_payment", "mark_cancelled"]
        assert (await orders.get_order(order.id)).status == "cancelled"
        assert {article.sku: article.left for article in await orders.list_articles()}["chair"] == 40

    with_orders(world, test)
    assert world.payments.charged == world.payments.refunded == {"o-1": 25_800}


def test_an_operator_who_cancels_the_execution_has_everything_undone_too(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("chair")
        await in_grace(orders, order)
        run = orders.process_order.get(order.id)
        await run.cancel("fraud")
        with pytest.raises(WorkflowCancelled):
            await run.result()
        assert await run.status() == "cancelled"
        assert (await orders.get_order(order.id)).status == "cancelled"

    with_orders(world, test)
    assert world.payments.refunded == {"o-1": 12_900}
    assert world.shipping.script.requests == 0


def test_a_dear_order_is_paid_for_after_somebody_has_approved_it(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("sofa", 2, grace_s=0)
        run = orders.process_order.get(order.id)
        await eventually(lambda: run.state(Orders.progress))
        progress = await run.state(Orders.progress)
        assert progress is not None
        assert progress.step == "awaiting approval"
        assert world.payments.charged == {}
        await orders.approve_order(order.id, by="ann")
        assert (await run.result()).approved_by == "ann"

    with_orders(world, test)
    assert world.payments.charged == {"o-1": 178_000}


def test_a_dear_order_that_is_called_off_is_never_paid_for(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("sofa", 2)
        await orders.cancel_order(order.id, "too dear")
        with pytest.raises(OrderCancelled) as caught:
            await orders.process_order.get(order.id).result()
        assert caught.value.reason == "too dear"

    with_orders(world, test)
    assert world.payments.script.requests == 0


def test_one_order_of_a_batch_that_fails_stops_no_other(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def test(orders: ServiceClient[Orders]) -> None:
        items = [Item(sku="lamp", grace_s=0), Item(sku="chair", grace_s=600), Item(sku="sofa", grace_s=0)]
        placed = await orders.place_orders(items)
        await in_grace(orders, placed[1])
        await orders.cancel_order(placed[1].id, "too many chairs")
        batch = await orders.process_orders.get(f"batch-{placed[0].id}").result()
        assert [shipment.order_id for shipment in batch.shipped] == [placed[0].id, placed[2].id]
        assert batch.failed == {
            placed[1].id: str(OrderCancelled(order_id=placed[1].id, reason="too many chairs"))
        }
        children = [one async for one in manage(orders).executions(workflow="process_order")]
        assert {one.parent for one in children} == {f"batch-{placed[0].id}"}

    with_orders(world, test)
    assert [text for _, text in world.mail.sent] == ["invoice of o-1", "invoice of o-3"]


def test_a_batch_that_is_cancelled_calls_its_orders_off(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def test(orders: ServiceClient[Orders]) -> None:
        placed = await orders.place_orders([Item(sku="lamp"), Item(sku="chair")])
        for order in placed:
            await in_grace(orders, order)
        await orders.process_orders.get(f"batch-{placed[0].id}").cancel("wrong customer")
        for order in placed:
            assert (await orders.get_order(order.id, wait_s=20)).status == "cancelled"

    with_orders(world, test)
    assert world.payments.refunded == world.payments.charged


def test_invoices_go_on_where_the_last_attempt_stopped(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.mail.script.fail(None, ConnectionError("no answer"))  # the second mail of the first attempt

    async def test(orders: ServiceClient[Orders]) -> None:
        placed = await orders.place_orders([Item(sku="lamp", grace_s=0)] * 3)
        await orders.process_orders.get(f"batch-{placed[0].id}").result()

    with_orders(world, test)
    assert [text for _, text in world.mail.sent] == [f"invoice of o-{number}" for number in (1, 2, 3)]
    assert world.mail.script.requests == 4, "the first invoice is not sent again"
