"""The models and bodies that every contender serves."""

from __future__ import annotations

from pydantic import BaseModel, TypeAdapter


class Placement(BaseModel):
    """The small body."""

    sku: str
    quantity: int = 1
    note: str | None = None


class Order(BaseModel):
    id: str
    sku: str
    quantity: int
    status: str = "placed"


class Product(BaseModel):
    id: int
    name: str
    tags: list[str]


class Line(BaseModel):
    product: Product
    quantity: int
    price: float


class Basket(BaseModel):
    """The nested body: it is sent back."""

    customer: str
    lines: list[Line]


def order_of(placement: Placement) -> Order:
    """Return what every contender answers to a placement."""
    return Order(id="o-1", sku=placement.sku, quantity=placement.quantity)


PLACEMENT = Placement(sku="sku-1", quantity=2)
ORDER = order_of(PLACEMENT)
BASKET = Basket(
    customer="c-1",
    lines=[
        Line(
            product=Product(id=i, name=f"product {i}", tags=["new", "sale"]),
            quantity=i % 7 + 1,
            price=i + 0.5,
        )
        for i in range(100)
    ],
)
SMALL_BODY = b'{"sku": "sku-1", "quantity": 2}'
NESTED_BODY = BASKET.model_dump_json().encode()
WRONG_BODY = b'{"sku": "sku-1", "quantity": "many"}'
"""Whoever answers this with success does not validate."""

placements = TypeAdapter(Placement)
orders = TypeAdapter(Order)
baskets = TypeAdapter(Basket)
