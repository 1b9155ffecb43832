"""What the orders service does, wherever it runs: its acceptance, told over a typed client and the world outside.

`tests/plugins/test_orders.py` tells each story at home, `tests/aws/test_orders.py` over a deployed API. A story finds
full shelves and a world in which nothing has happened, and leaves nothing behind that would still change it: its
executions have ended, or wait. One file, though long: whoever asks what the service does reads it in one place.
"""

from __future__ import annotations

import asyncio

import pytest

from client_kit import ServiceClient, manage
from plugins.orders.choreography import OrderCreated
from plugins.orders.model import (
    CardDeclined,
    Item,
    NotBegun,
    NotOrchestrated,
    Order,
    OrderCancelled,
    OrderClosed,
    OrderNotFound,
    OutOfStock,
    ParcelRefused,
    Status,
    UnknownArticle,
)
from plugins.orders.service import Orders
from service_kit import ExecutionNotFound, WorkflowCancelled
from tests.plugins.orders_bench import DEADLINE_S, Story, World, asked, eventually

LONG_S = 3600
"""A grace that no story sees the end of."""
Client = ServiceClient[Orders]


async def left(orders: Client) -> dict[str, int]:
    """Return how many of each article can be ordered."""
    return {article.sku: article.left for article in await orders.list_articles()}


async def executions(orders: Client) -> set[str]:
    return {one.id async for one in manage(orders).executions()}


async def tasks_of(orders: Client, order: Order) -> list[str]:
    """Return the names of the tasks that an order's workflow has scheduled."""
    history = await orders.process_order.get(order.id).history()
    return [event["name"] for event in history if event["kind"] == "TaskScheduled"]


async def closed(orders: Client, order: Order) -> Status:
    """Wait until nothing more will happen to an order; return what has become of it."""
    async with asyncio.timeout(DEADLINE_S):
        while (seen := await orders.get_order(order.id, wait_s=20)).status not in ("shipped", "cancelled"):
            pass  # the service waits
    return seen.status


async def in_grace(orders: Client, order: Order) -> None:
    """Wait until an order is paid for and can still be called off."""

    async def paid() -> bool:
        try:
            progress = await orders.process_order.get(order.id).state(Orders.progress)
        except ExecutionNotFound:  # a batch has not begun it yet
            return False
        return progress is not None and progress.step == "in grace"

    await eventually(paid)


async def an_order_is_shipped_and_its_goods_have_left_the_shelf(orders: Client, world: World) -> None:
    order = await orders.place_order("lamp", 3, grace_s=0)
    assert (order.total_cents, order.status) == (3 * 4_900, "placed")
    assert await closed(orders, order) == "shipped"
    assert await left(orders) == {"chair": 40, "lamp": 97, "sofa": 3}


async def more_than_there_is_cannot_be_ordered_and_nothing_is_begun(orders: Client, world: World) -> None:
    before = await executions(orders)
    with pytest.raises(OutOfStock) as caught:
        await orders.place_order("sofa", 4)
    assert (caught.value.sku, caught.value.left) == ("sofa", 3)
    with pytest.raises(UnknownArticle):
        await orders.place_order("yacht")
    assert await executions(orders) == before
    assert await asked(world.payments.script) == []


async def several_orders_are_placed_all_or_none(orders: Client, world: World) -> None:
    before = await executions(orders)
    with pytest.raises(OutOfStock):
        await orders.place_orders([Item(sku="lamp"), Item(sku="sofa", quantity=4)])
    assert (await left(orders))["lamp"] == 100
    assert await executions(orders) == before


async def an_order_that_nobody_has_placed_is_not_found(orders: Client, world: World) -> None:
    with pytest.raises(OrderNotFound):
        await orders.get_order("o-none")
    with pytest.raises(OrderNotFound):
        await orders.cancel_order("o-none", "why not")


async def an_order_can_be_called_off_until_it_is_shipped(orders: Client, world: World) -> None:
    order = await orders.place_order("chair", 2)
    await orders.cancel_order(order.id, "changed my mind")
    with pytest.raises(OrderCancelled) as caught:
        await orders.process_order.get(order.id).result()
    assert caught.value.reason == "changed my mind"
    assert (await orders.get_order(order.id)).status == "cancelled"
    assert (await left(orders))["chair"] == 40

    shipped = await orders.place_order("chair", grace_s=0)
    await closed(orders, shipped)
    with pytest.raises(OrderClosed) as refused:
        await orders.cancel_order(shipped.id, "too late")
    assert refused.value.closed_as == "shipped"


async def nobody_listens_to_calls_for_an_order_that_events_drive(orders: Client, world: World) -> None:
    order = await orders.place_order("lamp", pipeline="choreography")
    with pytest.raises(NotOrchestrated):
        await orders.cancel_order(order.id, "changed my mind")
    with pytest.raises(NotOrchestrated):
        await orders.approve_order(order.id, by="ann")
    assert await closed(orders, order) == "shipped"


async def an_order_whose_workflow_has_not_begun_cannot_be_told_anything_yet(
    orders: Client, world: World
) -> None:
    [order] = await world.orders.place([Item(sku="sofa")])
    with pytest.raises(NotBegun):
        await orders.approve_order(order.id, by="ann")


async def executions_are_found_by_what_they_were_started_with(orders: Client, world: World) -> None:
    lamp = await orders.place_order("lamp", grace_s=0)
    chair = await orders.place_order("chair", grace_s=LONG_S)
    await orders.process_order.get(lamp.id).result()

    async def found() -> bool:
        lamps = {one.id: one async for one in manage(orders).executions(attributes={"sku": "lamp"})}
        return lamp.id in lamps and lamps[lamp.id].status == "succeeded" and chair.id not in lamps

    await eventually(found)  # a list may be a moment behind
    await in_grace(orders, chair)


async def choreography_ends_with_the_order_shipped(orders: Client, world: World) -> None:
    before = await executions(orders)
    order = await orders.place_order("lamp", 2, pipeline="choreography")
    assert await closed(orders, order) == "shipped"
    assert await executions(orders) == before, "nobody is in charge"
    assert await world.payments.charged() == {order.id: 9_800}
    assert await world.shipping.parcels() == {order.id: f"track-{order.id}"}


async def orchestration_ends_with_the_order_shipped(orders: Client, world: World) -> None:
    order = await orders.place_order("lamp", 2, grace_s=0)
    shipment = await orders.process_order.get(order.id).result()
    assert (shipment.payment_id, shipment.tracking_id) == (f"pay-{order.id}", f"track-{order.id}")
    assert (await orders.get_order(order.id)).status == "shipped"
    assert await tasks_of(orders, order) == [
        "process_payment", "update_order_status", "ship_order", "update_order_status"
    ]  # fmt: skip
    assert await world.payments.charged() == {order.id: 9_800}
    assert await world.payments.refunded() == {}


async def an_order_is_shipped_when_its_grace_is_over(orders: Client, world: World) -> None:
    order = await orders.place_order("lamp", grace_s=1)
    await in_grace(orders, order)
    assert (await orders.process_order.get(order.id).result()).tracking_id == f"track-{order.id}"


async def ship_order_is_not_called_if_the_card_is_declined(orders: Client, world: World) -> None:
    await world.payments.script.plan("refused")
    order = await orders.place_order("lamp", grace_s=0)
    run = orders.process_order.get(order.id)
    with pytest.raises(CardDeclined):
        await run.result()
    assert await run.status() == "failed"
    assert "ship_order" not in await tasks_of(orders, order)
    assert (await orders.get_order(order.id)).status == "cancelled"
    assert await asked(world.payments.script) == [f"charge {order.id}", f"refund {order.id}"], (
        "one charge, not tried again, and one refund that finds nothing"
    )
    assert await world.payments.refunded() == {}
    assert await asked(world.shipping.script) == []


async def money_is_given_back_if_the_parcel_is_refused(orders: Client, world: World) -> None:
    await world.shipping.script.plan("refused")
    order = await orders.place_order("chair", 2, grace_s=0)
    with pytest.raises(ParcelRefused):
        await orders.process_order.get(order.id).result()
    assert (await tasks_of(orders, order))[-3:] == ["recall_parcel", "refund_payment", "mark_cancelled"]
    assert (await orders.get_order(order.id)).status == "cancelled"
    assert (await left(orders))["chair"] == 40
    assert await world.payments.charged() == await world.payments.refunded() == {order.id: 25_800}


async def money_is_given_back_once_even_if_the_banks_answers_are_lost(orders: Client, world: World) -> None:
    await world.payments.script.plan("answer lost", "none", "answer lost")
    await money_is_given_back_if_the_parcel_is_refused(orders, world)
    requests = [request.partition(" ")[0] for request in await asked(world.payments.script)]
    assert requests == ["charge", "charge", "refund", "refund"], "each is asked for again"


async def an_operator_who_cancels_the_execution_has_everything_undone_too(
    orders: Client, world: World
) -> None:
    order = await orders.place_order("chair", grace_s=LONG_S)
    await in_grace(orders, order)
    run = orders.process_order.get(order.id)
    await run.cancel("fraud")
    with pytest.raises(WorkflowCancelled):
        await run.result()
    assert await run.status() == "cancelled"
    assert (await orders.get_order(order.id)).status == "cancelled"
    assert await world.payments.refunded() == {order.id: 12_900}
    assert await asked(world.shipping.script) == []


async def a_dear_order_is_paid_for_after_somebody_has_approved_it(orders: Client, world: World) -> None:
    order = await orders.place_order("sofa", 2, grace_s=0)
    run = orders.process_order.get(order.id)
    await eventually(lambda: run.state(Orders.progress))
    progress = await run.state(Orders.progress)
    assert progress is not None
    assert progress.step == "awaiting approval"
    assert await world.payments.charged() == {}
    await orders.approve_order(order.id, by="ann")
    assert (await run.result()).approved_by == "ann"
    assert await world.payments.charged() == {order.id: 178_000}


async def a_dear_order_that_is_called_off_is_never_paid_for(orders: Client, world: World) -> None:
    order = await orders.place_order("sofa", 2)
    await orders.cancel_order(order.id, "too dear")
    with pytest.raises(OrderCancelled) as caught:
        await orders.process_order.get(order.id).result()
    assert caught.value.reason == "too dear"
    assert await asked(world.payments.script) == []


async def one_order_of_a_batch_that_fails_stops_no_other(orders: Client, world: World) -> None:
    items = [Item(sku="lamp", grace_s=0), Item(sku="chair", grace_s=LONG_S), Item(sku="sofa", grace_s=0)]
    lamp, chair, sofa = await orders.place_orders(items)
    await in_grace(orders, chair)
    await orders.cancel_order(chair.id, "too many chairs")
    batch = await orders.process_orders.get(f"batch-{lamp.id}").result()
    assert [shipment.order_id for shipment in batch.shipped] == [lamp.id, sofa.id]
    assert batch.failed == {chair.id: str(OrderCancelled(order_id=chair.id, reason="too many chairs"))}
    parents = {one.id: one.parent async for one in manage(orders).executions(workflow="process_order")}
    assert {parents[order.id] for order in (lamp, chair, sofa)} == {f"batch-{lamp.id}"}
    assert await world.mail.sent() == sorted(
        f"accounting@example.com: invoice of {order.id}" for order in (lamp, sofa)
    )


async def a_batch_that_is_cancelled_calls_its_orders_off(orders: Client, world: World) -> None:
    placed = await orders.place_orders([Item(sku="lamp", grace_s=LONG_S), Item(sku="chair", grace_s=LONG_S)])
    for order in placed:
        await in_grace(orders, order)
    await orders.process_orders.get(f"batch-{placed[0].id}").cancel("wrong customer")
    for order in placed:
        assert await closed(orders, order) == "cancelled"
    assert await world.payments.refunded() == await world.payments.charged()


async def invoices_go_on_where_the_last_attempt_stopped(orders: Client, world: World) -> None:
    await world.mail.script.plan("none", "unreachable")  # the second mail of the first attempt
    placed = await orders.place_orders([Item(sku="lamp", grace_s=0)] * 3)
    await orders.process_orders.get(f"batch-{placed[0].id}").result()
    assert len(await world.mail.sent()) == 3
    first, second, third = (f"send invoice-{order.id}" for order in placed)
    assert await asked(world.mail.script) == sorted([first, second, second, third]), (
        "the first invoice is not sent again"
    )


async def a_reminder_waits_for_its_day_until_it_is_cancelled(orders: Client, world: World) -> None:
    run = await orders.remind_daily.start("ann@example.com")

    async def waits() -> bool:
        return any(event["kind"] == "TimerStarted" for event in await run.history())

    await eventually(waits)
    assert await run.status() == "running"
    await run.cancel("she asked us to")
    with pytest.raises(WorkflowCancelled):
        await run.result()
    assert await world.mail.sent() == []


async def an_event_that_cannot_be_handled_waits_with_its_traceback_until_it_is_redriven(
    orders: Client, world: World
) -> None:
    operator = manage(orders)
    await world.shipping.script.plan("refused")
    order = await orders.place_order("lamp", pipeline="choreography")
    await eventually(operator.dead_letters)
    (letter,) = await operator.dead_letters()
    assert (letter.subscription, letter.event) == ("ship_order_after_payment", "PaymentProcessed")
    assert letter.payload == {"order_id": order.id, "payment_id": f"pay-{order.id}"}
    assert "plugins/orders/choreography.py" in letter.traceback
    assert "ParcelRefused" in letter.error

    assert await operator.redrive(letter.subscription) == 1
    assert await closed(orders, order) == "shipped"
    assert await operator.dead_letters() == []
    assert await asked(world.payments.script) == [f"charge {order.id}"], (
        "the step that succeeded is not repeated"
    )


async def an_event_that_is_published_twice_takes_the_money_once(orders: Client, world: World) -> None:
    order = await orders.place_order("lamp", 2, pipeline="choreography")
    await manage(orders).emit(OrderCreated(order_id=order.id))
    assert await closed(orders, order) == "shipped"

    async def both_handled() -> bool:
        return await asked(world.shipping.script) == [f"ship {order.id}"] * 2

    await eventually(both_handled)
    assert await asked(world.payments.script) == [f"charge {order.id}"] * 2
    assert await world.payments.charged() == {order.id: 9_800}


ACCEPTANCE: list[Story] = [
    an_order_is_shipped_and_its_goods_have_left_the_shelf,
    more_than_there_is_cannot_be_ordered_and_nothing_is_begun,
    several_orders_are_placed_all_or_none,
    an_order_that_nobody_has_placed_is_not_found,
    an_order_can_be_called_off_until_it_is_shipped,
    nobody_listens_to_calls_for_an_order_that_events_drive,
    an_order_whose_workflow_has_not_begun_cannot_be_told_anything_yet,
    executions_are_found_by_what_they_were_started_with,
    choreography_ends_with_the_order_shipped,
    orchestration_ends_with_the_order_shipped,
    an_order_is_shipped_when_its_grace_is_over,
    ship_order_is_not_called_if_the_card_is_declined,
    money_is_given_back_if_the_parcel_is_refused,
    money_is_given_back_once_even_if_the_banks_answers_are_lost,
    an_operator_who_cancels_the_execution_has_everything_undone_too,
    a_dear_order_is_paid_for_after_somebody_has_approved_it,
    a_dear_order_that_is_called_off_is_never_paid_for,
    one_order_of_a_batch_that_fails_stops_no_other,
    a_batch_that_is_cancelled_calls_its_orders_off,
    invoices_go_on_where_the_last_attempt_stopped,
    a_reminder_waits_for_its_day_until_it_is_cancelled,
    an_event_that_cannot_be_handled_waits_with_its_traceback_until_it_is_redriven,
    an_event_that_is_published_twice_takes_the_money_once,
]
