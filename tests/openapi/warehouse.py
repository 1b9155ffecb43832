"""Models that have the names of the shop's, and other fields."""

from __future__ import annotations

from pydantic import BaseModel


class Order(BaseModel):
    shelf: int
    packed: bool = False
