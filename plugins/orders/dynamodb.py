"""Orders in a table of DynamoDB, which all functions of the service share; `on_aws.py` deploys it.

Items are `pk`, `sk`, and what they hold: `articles` by sku, `orders` by id, and the books of `notes.py`.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from plugins.orders.doubles import FakeMail, FakePayments, FakeShipping
from plugins.orders.model import Article, Item, Order, OrderNotFound, OutOfStock, Status, UnknownArticle
from plugins.orders.repository import CATALOGUE
from plugins.orders.shop import Shop

TRIES = 12


class ShopTable:
    """The table, asked in threads, because boto3 blocks."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        if client is not None:
            self._client = client

    @cached_property
    def _client(self) -> Any:
        # Made with the first call: not every function of the service asks the shop.
        import boto3  # type: ignore[import-untyped] # it has no types

        return boto3.client("dynamodb")

    async def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        answer = await self._call("get_item", TableName=self.name, Key=_key(pk, sk), ConsistentRead=True)
        return answer.get("Item")

    async def query(self, pk: str) -> list[dict[str, Any]]:
        """Return all items of a partition, in the order of their sort keys."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
        }
        items: list[dict[str, Any]] = []
        while True:
            answer = await self._call("query", **request)
            items += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return items
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    async def write(self, *writes: Mapping[str, Any]) -> bool:
        """Write all or nothing; tell whether every condition held. One item is a transaction, too: one way for all."""
        items = [
            {kind: {"TableName": self.name, **request} for kind, request in one.items()} for one in writes
        ]
        for attempt in range(TRIES):
            try:
                await self._call("transact_write_items", TransactItems=items)
            except self._client.exceptions.TransactionCanceledException as error:
                reasons = {reason.get("Code") for reason in error.response["CancellationReasons"]}
                if "ConditionalCheckFailed" in reasons:
                    return False
                # Somebody else writes one of these items right now, which boto3 leaves to us.
                if "TransactionConflict" not in reasons or attempt == TRIES - 1:
                    raise
                await asyncio.sleep(min(0.02 * 2**attempt, 1) * random.random())
            else:
                return True
        raise AssertionError("the last attempt returns or raises")

    async def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await asyncio.to_thread(getattr(self._client, operation), **request)
        return answer


class DynamoOrders:
    """Orders in the table. Their ids are random: whoever counts makes all others wait.

    What an article costs and how many there were is in the catalogue; the table has how many are left.
    """

    def __init__(self, table: ShopTable, catalogue: Mapping[str, tuple[int, int]] = CATALOGUE) -> None:
        self._table = table
        self._catalogue = catalogue

    async def articles(self) -> list[Article]:
        left = {item["sk"]["S"]: int(item["in_stock"]["N"]) for item in await self._table.query("articles")}
        return [
            Article(sku=sku, price_cents=price_cents, left=left.get(sku, stock))
            for sku, (price_cents, stock) in sorted(self._catalogue.items())
        ]

    async def place(self, items: Sequence[Item]) -> list[Order]:
        orders = [self._order(item) for item in items]
        wanted = Counter[str]()
        for item in items:
            wanted[item.sku] += item.quantity
        taken = [self._take(sku, quantity) for sku, quantity in wanted.items()]
        while not await self._table.write(*taken, *(_put(order) for order in orders)):
            left = {article.sku: article.left for article in await self.articles()}
            for sku, quantity in wanted.items():
                if left[sku] < quantity:
                    raise OutOfStock(sku=sku, left=left[sku])
            # Enough was put back in between.
        return orders

    async def get(self, order_id: str) -> Order:
        found = await self._table.get("orders", order_id)
        if found is None:
            raise OrderNotFound(order_id=order_id)
        status = found["order_status"]["S"]
        return Order.model_validate_json(found["content"]["S"]).model_copy(update={"status": status})

    async def update(self, order_id: str, status: Status) -> None:
        await self._table.write(_set_status(order_id, status, unless=("shipped", "cancelled")))

    async def cancel(self, order_id: str) -> None:
        order = await self.get(order_id)
        back = {
            "Update": {
                "Key": _key("articles", order.sku),
                "UpdateExpression": "ADD in_stock :quantity",
                "ExpressionAttributeValues": {":quantity": {"N": str(order.quantity)}},
            }
        }
        await self._table.write(_set_status(order_id, "cancelled", unless=("cancelled",)), back)

    def _order(self, item: Item) -> Order:
        if item.sku not in self._catalogue:
            raise UnknownArticle(sku=item.sku)
        price_cents, _ = self._catalogue[item.sku]
        order_id = f"o-{secrets.token_hex(8)}"
        return Order(**item.model_dump(), id=order_id, total_cents=price_cents * item.quantity)

    def _take(self, sku: str, quantity: int) -> dict[str, Any]:
        """Return the write that puts goods aside, if there are enough."""
        _, stock = self._catalogue[sku]
        enough = "in_stock >= :quantity"
        if stock >= quantity:
            enough += " OR attribute_not_exists(in_stock)"
        return {
            "Update": {
                "Key": _key("articles", sku),
                "UpdateExpression": "SET in_stock = if_not_exists(in_stock, :stock) - :quantity",
                "ConditionExpression": enough,
                "ExpressionAttributeValues": {":stock": {"N": str(stock)}, ":quantity": {"N": str(quantity)}},
            }
        }


class DynamoNotes:
    """Notes in the table: the doubles of all functions have the same memory."""

    def __init__(self, table: ShopTable) -> None:
        self._table = table

    async def add(self, book: str, key: str, note: str) -> bool:
        item = {**_key(f"notes: {book}", key), "note": {"S": note}}
        return await self._table.write(
            {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
        )

    async def get(self, book: str, key: str) -> str | None:
        found = await self._table.get(f"notes: {book}", key)
        return None if found is None else str(found["note"]["S"])

    async def remove(self, book: str, key: str) -> bool:
        deletion = {"Key": _key(f"notes: {book}", key), "ConditionExpression": "attribute_exists(pk)"}
        return await self._table.write({"Delete": deletion})

    async def read(self, book: str) -> dict[str, str]:
        return {item["sk"]["S"]: item["note"]["S"] for item in await self._table.query(f"notes: {book}")}


def table_shop(table: ShopTable) -> Shop:
    """Return a shop that keeps all in one table."""
    notes = DynamoNotes(table)
    return Shop(DynamoOrders(table), FakePayments(notes), FakeShipping(notes), FakeMail(notes))


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _put(order: Order) -> dict[str, Any]:
    held = {"order_status": {"S": order.status}, "content": {"S": order.model_dump_json()}}
    return {"Put": {"Item": {**_key("orders", order.id), **held}}}


def _set_status(order_id: str, status: Status, unless: Sequence[Status]) -> dict[str, Any]:
    """Return the write that sets the status of an order, unless it has one of these."""
    others = {f":other{number}": {"S": other} for number, other in enumerate(unless)}
    return {
        "Update": {
            "Key": _key("orders", order_id),
            "UpdateExpression": "SET order_status = :status",
            "ConditionExpression": f"attribute_exists(pk) AND NOT order_status IN ({', '.join(others)})",
            "ExpressionAttributeValues": {":status": {"S": status}, **others},
        }
    }
