"""A module that has a class of the same name as another one."""

from __future__ import annotations

from pydantic import BaseModel


class Cat(BaseModel):
    far: int
