"""Where orders and notes are kept: one suite for the files and the memory of a laptop, and the table on AWS."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeAlias

import boto3  # type: ignore[import-untyped] # it has no types
import pytest

from plugins.orders.dynamodb import DynamoNotes, DynamoOrders, ShopTable
from plugins.orders.model import Item, OrderNotFound, OutOfStock, UnknownArticle
from plugins.orders.notes import MemoryNotes, Notes
from plugins.orders.on_aws import SHOP
from plugins.orders.repository import OrderRepository, SqliteOrders
from service_kit.deploy.values import plain
from tests.stores.emulators import client_options

Kept: TypeAlias = tuple[OrderRepository, Notes]


def in_files(folder: Path) -> Kept:
    return SqliteOrders(folder / "shop.db"), MemoryNotes()


def in_a_table(folder: Path) -> Kept:
    client = boto3.client("dynamodb", **client_options("moto"))
    table = ShopTable(new_table(client), client)
    return DynamoOrders(table), DynamoNotes(table)


def new_table(client: Any) -> str:
    """Make a table as the deployment defines it; return its name."""
    name, defined = f"shop-{uuid.uuid4().hex}", plain(SHOP.properties)
    del defined["PointInTimeRecoverySpecification"]  # it is not part of this request
    client.create_table(TableName=name, **defined)
    return name


@pytest.fixture(params=[in_files, in_a_table], ids=lambda make: make.__name__)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    make: Callable[[Path], Kept] = request.param
    return make(tmp_path)


@pytest.fixture
def orders(kept: Kept) -> OrderRepository:
    return kept[0]


@pytest.fixture
def notes(kept: Kept) -> Notes:
    return kept[1]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def left(orders: OrderRepository) -> dict[str, int]:
    return {article.sku: article.left for article in await orders.articles()}


def test_goods_are_put_aside_and_orders_kept_all_or_none(orders: OrderRepository) -> None:
    async def test() -> None:
        placed = await orders.place([Item(sku="lamp", quantity=2), Item(sku="sofa"), Item(sku="lamp")])
        assert [(order.sku, order.quantity, order.total_cents) for order in placed] == [
            ("lamp", 2, 9_800), ("sofa", 1, 89_000), ("lamp", 1, 4_900)
        ]  # fmt: skip
        assert len({order.id for order in placed}) == 3
        assert [await orders.get(order.id) for order in placed] == placed
        with pytest.raises(OutOfStock) as caught:
            await orders.place([Item(sku="chair"), Item(sku="sofa", quantity=3)])
        assert (caught.value.sku, caught.value.left) == ("sofa", 2)
        with pytest.raises(OutOfStock):
            await orders.place([Item(sku="chair", quantity=41)])
        with pytest.raises(UnknownArticle):
            await orders.place([Item(sku="chair"), Item(sku="yacht")])
        assert await left(orders) == {"chair": 40, "lamp": 97, "sofa": 2}

    run(test())


def test_as_many_orders_as_a_batch_may_have_are_placed_at_once(orders: OrderRepository) -> None:
    async def test() -> None:
        placed = await orders.place([Item(sku="lamp")] * 49 + [Item(sku="chair")])
        assert len({order.id for order in placed}) == 50
        assert await left(orders) == {"chair": 39, "lamp": 51, "sofa": 3}

    run(test())


def test_the_last_goods_are_given_to_those_who_come_first_and_to_no_more(orders: OrderRepository) -> None:
    async def test() -> None:
        asked = [orders.place([Item(sku="sofa")]) for _ in range(8)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert len([one for one in outcomes if not isinstance(one, BaseException)]) == 3
        assert len([one for one in outcomes if isinstance(one, OutOfStock)]) == 5
        assert (await left(orders))["sofa"] == 0

    run(test())


def test_a_cancelled_order_gives_its_goods_back_once_and_stays_cancelled(orders: OrderRepository) -> None:
    async def test() -> None:
        [order] = await orders.place([Item(sku="chair", quantity=5)])
        await orders.update(order.id, "paid")
        await asyncio.gather(orders.cancel(order.id), orders.cancel(order.id))
        await orders.update(order.id, "shipped")
        assert (await orders.get(order.id)).status == "cancelled"
        assert (await left(orders))["chair"] == 40

    run(test())


def test_a_shipped_order_stays_shipped(orders: OrderRepository) -> None:
    async def test() -> None:
        [order] = await orders.place([Item(sku="chair")])
        await orders.update(order.id, "shipped")
        await orders.update(order.id, "paid")
        assert await orders.get(order.id) == order.model_copy(update={"status": "shipped"})

    run(test())


def test_an_order_that_nobody_has_placed_is_not_there(orders: OrderRepository) -> None:
    async def test() -> None:
        await orders.update("o-none", "paid")
        for look in (orders.get, orders.cancel):
            with pytest.raises(OrderNotFound):
                await look("o-none")

    run(test())


def test_a_note_is_written_once_and_struck_out_once(notes: Notes) -> None:
    async def test() -> None:
        assert await notes.add("a", "2", "two")
        assert await notes.add("a", "1", "one")
        assert not await notes.add("a", "1", "another")
        assert await notes.add("b", "1", "elsewhere")
        assert list((await notes.read("a")).items()) == [("1", "one"), ("2", "two")]
        assert await notes.get("a", "1") == "one"
        struck = await asyncio.gather(*(notes.remove("a", "1") for _ in range(4)))
        assert sorted(struck) == [False, False, False, True]
        assert await notes.get("a", "1") is None
        assert await notes.read("b") == {"1": "elsewhere"}
        assert await notes.read("c") == {}

    run(test())
