"""The models of the one command, alone: with nothing else imported, this is bare pydantic."""

from __future__ import annotations

from pydantic import BaseModel


class Placement(BaseModel):
    sku: str
    quantity: int = 1
    note: str | None = None


class Order(BaseModel):
    id: str
    sku: str
    quantity: int
    status: str = "placed"
