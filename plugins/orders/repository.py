"""Where orders are kept: a small port, and an SQLite file behind it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeVar

from plugins.orders.model import Article, Item, Order, OrderNotFound, OutOfStock, Status, UnknownArticle

T = TypeVar("T")

CATALOGUE: Mapping[str, tuple[int, int]] = {
    "lamp": (4_900, 100),
    "chair": (12_900, 40),
    "sofa": (89_000, 3),
}
"""Price in cents and stock of each article."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS articles (sku TEXT PRIMARY KEY, price_cents INTEGER, left INTEGER);
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, status TEXT, content TEXT);
"""


class OrderRepository(Protocol):
    """Keep orders and the goods that are left. What is done twice is done once."""

    async def articles(self) -> list[Article]: ...

    async def place(self, items: Sequence[Item]) -> list[Order]:
        """Put goods aside and keep an order for each item, all or none; raise UnknownArticle or OutOfStock."""
        ...

    async def get(self, order_id: str) -> Order:
        """Return an order; raise OrderNotFound."""
        ...

    async def update(self, order_id: str, status: Status) -> None:
        """Set the status of an order; one that is shipped or cancelled stays so."""
        ...

    async def cancel(self, order_id: str) -> None:
        """Mark an order as cancelled and put its goods back, once."""
        ...


class SqliteOrders:
    """Orders in an SQLite file, which processes may share."""

    def __init__(self, path: str | Path, catalogue: Mapping[str, tuple[int, int]] = CATALOGUE) -> None:
        self._path = path
        with closing(sqlite3.connect(path)) as database, database:
            database.executescript(_SCHEMA)
            rows = [(sku, price_cents, left) for sku, (price_cents, left) in catalogue.items()]
            database.executemany("INSERT OR IGNORE INTO articles VALUES (?, ?, ?)", rows)

    async def articles(self) -> list[Article]:
        def work(database: sqlite3.Connection) -> list[Article]:
            rows = database.execute("SELECT sku, price_cents, left FROM articles ORDER BY sku")
            return [Article(sku=sku, price_cents=price_cents, left=left) for sku, price_cents, left in rows]

        return await self._transaction(work)

    async def place(self, items: Sequence[Item]) -> list[Order]:
        return await self._transaction(lambda database: [_place(database, item) for item in items])

    async def get(self, order_id: str) -> Order:
        return await self._transaction(lambda database: _get(database, order_id))

    async def update(self, order_id: str, status: Status) -> None:
        change = "UPDATE orders SET status = ? WHERE id = ? AND status NOT IN ('shipped', 'cancelled')"
        await self._transaction(lambda database: database.execute(change, (status, order_id)))

    async def cancel(self, order_id: str) -> None:
        def work(database: sqlite3.Connection) -> None:
            order = _get(database, order_id)
            if order.status != "cancelled":
                database.execute("UPDATE orders SET status = 'cancelled' WHERE id = ?", (order_id,))
                back = "UPDATE articles SET left = left + ? WHERE sku = ?"
                database.execute(back, (order.quantity, order.sku))

        await self._transaction(work)

    async def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do all of `work` or nothing of it, in a thread: a database takes its time."""

        def run() -> T:
            with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                with database:
                    return work(database)

        return await asyncio.to_thread(run)


def _place(database: sqlite3.Connection, item: Item) -> Order:
    found = database.execute("SELECT price_cents, left FROM articles WHERE sku = ?", (item.sku,)).fetchone()
    if found is None:
        raise UnknownArticle(sku=item.sku)
    price_cents, left = found
    if left < item.quantity:
        raise OutOfStock(sku=item.sku, left=left)
    (number,) = database.execute("SELECT count(*) + 1 FROM orders").fetchone()
    order = Order(**item.model_dump(), id=f"o-{number}", total_cents=price_cents * item.quantity)
    database.execute("UPDATE articles SET left = left - ? WHERE sku = ?", (item.quantity, item.sku))
    database.execute("INSERT INTO orders VALUES (?, ?, ?)", (order.id, order.status, order.model_dump_json()))
    return order


def _get(database: sqlite3.Connection, order_id: str) -> Order:
    found = database.execute("SELECT status, content FROM orders WHERE id = ?", (order_id,)).fetchone()
    if found is None:
        raise OrderNotFound(order_id=order_id)
    status, content = found
    return Order.model_validate_json(content).model_copy(update={"status": status})
