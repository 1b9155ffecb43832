"""Write a service of 200 commands as source, the way each framework's users write it.

Every command takes a model of its own and returns one of its own, and all of them share one nested model.
"""

from __future__ import annotations

from pathlib import Path

COUNT = 200

MODELS_HEAD = '''"""Generated: the models of many commands."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field


class Address(BaseModel):
    street: str
    city: str
    country: Annotated[str, Field(min_length=2, max_length=2)] = "DE"
'''
MODELS_EACH = '''

class Request{i}(BaseModel):
    """What command {i} takes."""

    name: Annotated[str, Field(min_length=1, description="Whom it is for")]
    quantity: Annotated[int, Field(ge=1, le=100)] = 1
    note: str | None = None
    address: Address


class Answer{i}(BaseModel):
    id: str
    created_at: datetime
    tags: list[str] = []
    address: Address
'''
FASTAPI_HEAD = '''"""Generated: the application with FastAPI."""

from fastapi import FastAPI

from models import *

app = FastAPI(title="Many", version="1.0")
'''
FASTAPI_EACH = '''

@app.post("/command-{i}", summary="Run command {i}")
async def command_{i}(request: Request{i}) -> Answer{i}:
    """Do what command {i} does."""
    raise NotImplementedError
'''
OURS_HEAD = '''"""Generated: the application as a service."""

from models import *
from service_kit import Service, command
'''
OURS_EACH = '''

@command(method="POST", path="/command-{i}", summary="Run command {i}")
async def command_{i}(request: Request{i}) -> Answer{i}:
    """Do what command {i} does."""
    raise NotImplementedError
'''
OURS_SERVICE = """

class Many(Service, version="1.0"):
"""


def write_modules(folder: Path) -> None:
    """Write `models`, `fastapi_many` and `ours_many` into a folder."""
    numbers = range(COUNT)
    service = OURS_SERVICE + "".join(f"    command_{i} = command_{i}\n" for i in numbers)
    texts = {
        "models": _render(MODELS_HEAD, MODELS_EACH),
        "fastapi_many": _render(FASTAPI_HEAD, FASTAPI_EACH),
        "ours_many": _render(OURS_HEAD, OURS_EACH) + service,
    }
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


def _render(head: str, each: str) -> str:
    return head + "".join(each.format(i=i) for i in range(COUNT))
