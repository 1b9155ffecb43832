"""The commands of the orders service, through its typed client."""

from __future__ import annotations

from pathlib import Path

import pytest

from client_kit import ServiceClient, manage
from plugins.orders.model import (
    Item,
    NotBegun,
    NotOrchestrated,
    OrderCancelled,
    OrderClosed,
    OrderNotFound,
    OutOfStock,
    UnknownArticle,
)
from plugins.orders.service import Orders
from tests.plugins.orders_bench import World, with_orders


def test_an_order_is_shipped_and_its_goods_have_left_the_shelf(tmp_path: Path) -> None:
    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("lamp", 3, grace_s=0)
        assert (order.total_cents, order.status) == (3 * 4_900, "placed")
        assert (await orders.get_order(order.id, wait_s=20)).status == "shipped"
        assert {article.sku: article.left for article in await orders.list_articles()}["lamp"] == 97

    with_orders(World(tmp_path), test)


def test_more_than_there_is_cannot_be_ordered_and_nothing_is_begun(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def test(orders: ServiceClient[Orders]) -> None:
        with pytest.raises(OutOfStock) as caught:
            await orders.place_order("sofa", 4)
        assert (caught.value.sku, caught.value.left) == ("sofa", 3)
        with pytest.raises(UnknownArticle):
            await orders.place_order("yacht")
        assert (await manage(orders).list_executions()).executions == []

    with_orders(world, test)
    assert world.payments.charged == {}


def test_several_orders_are_placed_all_or_none(tmp_path: Path) -> None:
    async def test(orders: ServiceClient[Orders]) -> None:
        with pytest.raises(OutOfStock):
            await orders.place_orders([Item(sku="lamp"), Item(sku="sofa", quantity=4)])
        assert {article.sku: article.left for article in await orders.list_articles()}["lamp"] == 100
        assert (await manage(orders).list_executions()).executions == []

    with_orders(World(tmp_path), test)


def test_an_order_that_nobody_has_placed_is_not_found(tmp_path: Path) -> None:
    async def test(orders: ServiceClient[Orders]) -> None:
        with pytest.raises(OrderNotFound):
            await orders.get_order("o-1")
        with pytest.raises(OrderNotFound):
            await orders.cancel_order("o-1", "why not")

    with_orders(World(tmp_path), test)


def test_an_order_can_be_called_off_until_it_is_shipped(tmp_path: Path) -> None:
    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("chair", 2)
        await orders.cancel_order(order.id, "changed my mind")
        with pytest.raises(OrderCancelled) as caught:
            await orders.process_order.get(order.id).result()
        assert caught.value.reason == "changed my mind"
        assert (await orders.get_order(order.id)).status == "cancelled"
        assert {article.sku: article.left for article in await orders.list_articles()}["chair"] == 40

        shipped = await orders.place_order("chair", grace_s=0)
        await orders.get_order(shipped.id, wait_s=20)
        with pytest.raises(OrderClosed) as closed:
            await orders.cancel_order(shipped.id, "too late")
        assert closed.value.closed_as == "shipped"

    with_orders(World(tmp_path), test)


def test_nobody_listens_to_calls_for_an_order_that_events_drive(tmp_path: Path) -> None:
    async def test(orders: ServiceClient[Orders]) -> None:
        order = await orders.place_order("lamp", pipeline="choreography")
        with pytest.raises(NotOrchestrated):
            await orders.cancel_order(order.id, "changed my mind")
        with pytest.raises(NotOrchestrated):
            await orders.approve_order(order.id, by="ann")

    with_orders(World(tmp_path), test)


def test_an_order_whose_workflow_has_not_begun_cannot_be_told_anything_yet(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def test(orders: ServiceClient[Orders]) -> None:
        [order] = await world.shop.orders.place([Item(sku="sofa")])
        with pytest.raises(NotBegun):
            await orders.approve_order(order.id, by="ann")

    with_orders(world, test)


def test_executions_are_found_by_what_they_were_started_with(tmp_path: Path) -> None:
    async def test(orders: ServiceClient[Orders]) -> None:
        lamp = await orders.place_order("lamp", grace_s=0)
        await orders.place_order("chair")
        await orders.process_order.get(lamp.id).result()
        page = await manage(orders).list_executions(attributes={"sku": "lamp"})
        assert [(one.id, one.workflow, one.status) for one in page.executions] == [
            (lamp.id, "process_order", "succeeded")
        ]

    with_orders(World(tmp_path), test)
