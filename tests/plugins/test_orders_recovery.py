"""The order pipeline when processes stop, handlers are wrong and answers are lost."""

from __future__ import annotations

from pathlib import Path

from client_kit import ServiceClient, manage
from plugins.orders.choreography import OrderCreated
from plugins.orders.model import ParcelRefused
from plugins.orders.service import Orders
from tests.plugins.orders_bench import World, eventually, with_orders


def test_a_new_host_on_the_same_file_goes_on_in_the_middle_of_an_order(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def before(orders: ServiceClient[Orders]) -> None:
        dear = await orders.place_order("sofa", 2, grace_s=0)
        paid = await orders.place_order("lamp", grace_s=600)
        assert (dear.id, paid.id) == ("o-1", "o-2")

        async def has_paid() -> bool:
            progress = await orders.process_order.get("o-2").state(Orders.progress)
            return progress is not None and progress.step == "in grace"

        await eventually(has_paid)

    async def after(orders: ServiceClient[Orders]) -> None:
        assert await orders.process_order.get("o-1").status() == "running"
        await orders.approve_order("o-1", by="ann")
        shipment = await orders.process_order.get("o-1").result()
        assert (shipment.tracking_id, shipment.approved_by) == ("track-o-1", "ann")
        await orders.cancel_order("o-2", "changed my mind")
        assert (await orders.get_order("o-2", wait_s=20)).status == "cancelled"

    with_orders(world, before, after)
    assert world.payments.charged == {"o-1": 178_000, "o-2": 4_900}
    assert world.payments.refunded == {"o-2": 4_900}
    assert world.payments.script.requests == 3, "what was done before the restart is not done again"


def test_an_event_that_cannot_be_handled_waits_with_its_traceback_until_it_is_redriven(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    world.shipping.script.fail(ParcelRefused(order_id="o-1"))

    async def test(orders: ServiceClient[Orders]) -> None:
        operator = manage(orders)
        order = await orders.place_order("lamp", pipeline="choreography")
        await eventually(operator.dead_letters)
        (letter,) = await operator.dead_letters()
        assert (letter.subscription, letter.event) == ("ship_order_after_payment", "PaymentProcessed")
        assert letter.payload == {"order_id": order.id, "payment_id": f"pay-{order.id}"}
        assert "plugins/orders/choreography.py" in letter.traceback
        assert "ParcelRefused" in letter.error

        assert await operator.redrive(letter.subscription) == 1
        assert (await orders.get_order(order.id, wait_s=20)).status == "shipped"
        assert await operator.dead_letters() == []

    with_orders(world, test)
    assert world.payments.script.requests == 1, "the step that succeeded is not repeated"


def test_an_event_that_is_published_twice_takes_the_money_once(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("lamp", 2, pipeline="choreography")
        await manage(orders).emit(OrderCreated(order_id=order.id))
        assert (await orders.get_order(order.id, wait_s=20)).status == "shipped"

        async def both_handled() -> bool:
            return world.shipping.script.requests == 2

        await eventually(both_handled)

    with_orders(world, test)
    assert world.payments.script.requests == 2
    assert world.payments.charged == {"o-1": 9_800}
