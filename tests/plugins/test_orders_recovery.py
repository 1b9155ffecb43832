"""The order pipeline when the process stops."""

from __future__ import annotations

from pathlib import Path

from client_kit import ServiceClient
from plugins.orders.service import Orders
from tests.plugins.orders_acceptance import in_grace
from tests.plugins.orders_bench import World, asked, told_at_home, world_in


def test_a_new_host_on_the_same_file_goes_on_in_the_middle_of_an_order(tmp_path: Path) -> None:
    async def before(orders: ServiceClient[Orders], world: World) -> None:
        dear = await orders.place_order("sofa", 2, grace_s=0)
        paid = await orders.place_order("lamp", grace_s=600)
        assert (dear.id, paid.id) == ("o-1", "o-2")
        await in_grace(orders, paid)

    async def after(orders: ServiceClient[Orders], world: World) -> None:
        assert await orders.process_order.get("o-1").status() == "running"
        await orders.approve_order("o-1", by="ann")
        shipment = await orders.process_order.get("o-1").result()
        assert (shipment.tracking_id, shipment.approved_by) == ("track-o-1", "ann")
        await orders.cancel_order("o-2", "changed my mind")
        assert (await orders.get_order("o-2", wait_s=20)).status == "cancelled"
        assert await world.payments.charged() == {"o-1": 178_000, "o-2": 4_900}
        assert await world.payments.refunded() == {"o-2": 4_900}
        assert await asked(world.payments.script) == ["charge o-1", "charge o-2", "refund o-2"], (
            "what was done before the restart is not done again"
        )

    told_at_home(world_in(tmp_path), tmp_path, before, after)
