"""A service with every kind of parameter, which answers with what it was given: for the fuzzer."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import AnyUrl, AwareDatetime, BaseModel, Field, JsonValue, SecretStr

from service_kit import ApiKey, Bearer, Cors, Header, Query, Service, ServiceError, command


class Colour(enum.Enum):
    red = "red"
    blue = "blue"


class Level(enum.IntEnum):
    low = 1
    high = 2


class Leaf(BaseModel):
    kind: Literal["leaf"] = "leaf"
    weight: float = 0.0


class Branch(BaseModel):
    kind: Literal["branch"] = "branch"
    children: list[Annotated[Leaf | Branch, Field(discriminator="kind")]] = []
    by_name: dict[str, Branch] = {}


@dataclass
class Point:
    x: int
    y: Decimal = Decimal(0)


class Everything(BaseModel):
    """Members of many types, all optional, so that most objects get somewhere."""

    count: int = 0
    ratio: float = 0.0
    price: Decimal = Decimal(0)
    day: date | None = None
    at: AwareDatetime | datetime | None = None
    clock: time | None = None
    span: timedelta | None = None
    id: UUID | None = None
    colour: Colour | None = None
    level: Level | None = None
    url: AnyUrl | None = None
    address: IPv4Address | IPv6Address | None = None
    path: PurePosixPath | None = None
    raw: bytes = b""
    secret: SecretStr | None = None
    text: Annotated[str, Field(max_length=50, pattern=r"^[a-z ]*$")] = ""
    pair: tuple[int, str] | None = None
    names: set[str] = set()
    numbers: dict[int, float] = {}
    anything: JsonValue = None
    free: Any = None
    tree: Branch | None = None
    point: Point | None = None


class Refused(ServiceError, status=418):
    why: str


@command(method="GET", path="/texts/{number}/{day}/{word}")
async def read_texts(
    number: int,
    day: date,
    word: str,
    ratio: float = 0.0,
    price: Decimal | None = None,
    flag: bool = False,
    colours: Annotated[list[Colour] | None, Query("colour")] = None,
    levels: Annotated[set[Level] | None, Query("level")] = None,
    span: timedelta | None = None,
    at: datetime | None = None,
    id: UUID | None = None,
    mode: Literal[1, "two", True] = 1,
    trace: Annotated[int | None, Header()] = None,
    agent: Annotated[str, Header("user-agent")] = "",
) -> dict[str, Any]:
    return {"number": number, "day": day, "word": word, "ratio": ratio, "price": price, "flag": flag,
            "colours": colours, "levels": levels, "span": span, "at": at, "id": id, "mode": mode,
            "trace": trace, "agent": agent}  # fmt: skip


@command(method="POST", path="/everything", errors=[Refused])
async def take_everything(everything: Everything) -> Everything:
    if everything.text == "no":
        raise Refused(why=everything.text)
    return everything


@command(method="PUT", path="/mixed/{number}")
async def take_mixed(
    number: Annotated[int, Field(ge=0)],
    point: Point,
    everything: Everything,
    note: Annotated[str, Query()] = "",
    free: Any = None,
) -> JsonValue:
    return {"number": number, "x": point.x, "note": note, "count": everything.count}


@command
def take_in_thread(values: list[JsonValue], tree: Branch | None = None) -> list[JsonValue]:
    return values


@command(method="DELETE", path="/things/{id}", timeout_s=30)
async def remove_thing(id: UUID | int) -> None:
    return None


@command(method="POST", path="/stream")
async def stream_values(values: list[JsonValue], fail: bool = False) -> AsyncIterator[JsonValue]:
    for value in values:
        yield value


async def _verify(secret: str) -> str | None:
    return secret if secret in ("good", "gööd") else None


@command(
    method="GET",
    path="/guarded",
    security=[
        ApiKey(_verify),
        ApiKey(_verify, parameter="key", location="query", name="queryKey"),
        ApiKey(_verify, parameter="session", location="cookie", name="cookieKey"),
        Bearer(_verify),
    ],
)
async def guarded(after: int = 0) -> int:
    return after


router = APIRouter()


@router.get("/raw/{number}")
async def raw(number: int, ratio: float = 0.0) -> int:
    return number


class Fuzzed(Service, cors=Cors(origins=["https://app.example.com"], credentials=True), routes=[router]):
    """Answer with what was asked."""

    read_texts = read_texts
    take_everything = take_everything
    take_mixed = take_mixed
    take_in_thread = take_in_thread
    remove_thing = remove_thing
    stream_values = stream_values
    guarded = guarded
