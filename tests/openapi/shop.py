"""A service with one of everything that a specification must be able to say."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Generic, Literal, NamedTuple, TypeVar

from pydantic import AnyUrl, Base64Bytes, BaseModel, ConfigDict, Field, computed_field
from typing_extensions import TypedDict, deprecated

from service_kit import ApiKey, AwsIam, Bearer, Header, Jwt, Plugin, Query, Service, ServiceError, command
from tests.openapi import warehouse

T = TypeVar("T")


class Status(enum.Enum):
    PLACED = "placed"
    PAID = "paid"


class Grade(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Address(BaseModel):
    """Where a parcel goes."""

    model_config = ConfigDict(extra="forbid")

    street: Annotated[str, Field(min_length=1, max_length=80, examples=["1 Long Lane"])]
    zip_code: Annotated[str, Field(alias="zipCode", pattern=r"^[0-9]{5}$")]


class Order(BaseModel):
    id: uuid.UUID
    status: Status = Status.PLACED
    total: Annotated[Decimal, Field(ge=0, description="in euros")]
    lines: Annotated[list[Line], Field(min_length=1)]
    ship_to: Address | None = None
    note: str | None = None


class Line(BaseModel):
    sku: str
    quantity: Annotated[int, Field(gt=0, le=99)] = 1

    @computed_field
    def label(self) -> str:
        return f"{self.quantity} x {self.sku}"


class Page(BaseModel, Generic[T]):
    items: list[T]
    after: str | None = None


class Category(BaseModel):
    name: str
    children: list[Category] = []


class Card(BaseModel):
    kind: Literal["card"]
    number: Annotated[str, Field(deprecated=True)]


class Transfer(BaseModel):
    kind: Literal["transfer"]
    iban: str


Payment = Annotated[Card | Transfer, Field(discriminator="kind")]


@dataclass
class Parcel:
    weight_g: int
    size_cm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tags: set[str] = field(default_factory=set)


class Point(NamedTuple):
    x: float
    y: float


class Labels(TypedDict, total=False):
    colour: str
    by_language: dict[str, str]


class Everything(BaseModel):
    when: dt.datetime
    day: dt.date
    at: dt.time
    length: dt.timedelta = dt.timedelta(minutes=5)
    content: bytes = b""
    encoded: Base64Bytes = b""
    link: AnyUrl
    point: Point
    labels: Labels
    grades: dict[Grade, int] = {}
    either: int | str | list[int] | None = None
    fixed: Literal["a", 1, True] | None = None
    frozen: frozenset[int] = frozenset({3, 1, 2})
    limit: Annotated[float, Field(lt=float("inf"))] = float("inf")
    anything: object = None


class OutOfStock(ServiceError, status=409):
    """Somebody was faster."""

    sku: str
    back_on: dt.date | None = None


class Closed(ServiceError, status=409):
    pass


class Malformed(ServiceError, status=400):
    column: int


class Unpayable(ServiceError, status=422):
    reason: str


class Problem(BaseModel):
    """A model that has the name of the framework's own."""

    text: str


async def verify(secret: str) -> str | None:
    return secret or None


bearer = Bearer(verify=verify, description="a token of the shop")
key = ApiKey(verify=verify, parameter="X-Shop-Key")
jwt = Jwt(
    claims=Problem, issuer="https://id.example.com", audience="shop", key="x" * 32, algorithms=["HS256"]
)
iam = AwsIam()
link = ApiKey(verify=verify, name="signed link", parameter="signature", location="query")


@command(method="GET", path="/orders/{order_id}", tags=["orders"])
async def get_order(order_id: uuid.UUID) -> Order | None:
    """Find one order.

    Whoever asks must own it.
    """


@command(method="PUT", path="/orders/{id}", errors=[OutOfStock, Closed], tags=["orders", "edit"])
async def put_order(id: uuid.UUID, order: Order, dry_run: Annotated[bool, Query()] = False) -> Order: ...


@command(method="GET", path="/orders", tags=["orders"], security=[])
async def list_orders(
    status: Annotated[Status | None, Field(description="only these")] = None,
    grade: Grade = Grade.LOW,
    sku: Annotated[list[str] | None, Field(max_length=5)] = None,
    since: dt.date = dt.date(2024, 1, 1),
    limit: Annotated[int, Field(ge=1, le=100, description="how many", examples=[10])] = 20,
    price: Decimal | None = None,
    old: Annotated[str | None, Field(deprecated=True)] = None,
    trace_id: Annotated[str | None, Header()] = None,
) -> Page[Order]: ...


@command(method="POST", path="/orders", errors=[OutOfStock, Malformed, Unpayable], security=[jwt, iam])
async def place_order(
    lines: list[Line],
    payment: Payment,
    ship_to: Address | None = None,
    express: bool = False,
    tags: frozenset[str] = frozenset({"c", "a", "b"}),
    until: dt.datetime = dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
    attempts: Annotated[int, Field(ge=1)] = 0,
    idempotency_token: Annotated[str, Header("X-Token")] = "none",
) -> Order: ...


@command(method="DELETE", path="/orders/{order_id}", security=[link])
async def cancel_order(order_id: uuid.UUID) -> None: ...


@command(method="HEAD", path="/orders/{order_id}/exists")
async def order_exists(order_id: uuid.UUID) -> None: ...


@command(method="POST", path="/parcels")
async def send_parcel(parcel: Parcel = Parcel(weight_g=1)) -> Parcel: ...  # noqa: B008 - what is tested


@command
async def categories(root: Category) -> Category: ...


@command
async def watch(order_id: uuid.UUID, every_s: float = 1.0) -> AsyncIterator[Order]:
    """Follow an order."""
    for _ in range(0):
        yield  # type: ignore[misc]  # never reached


@command
async def store(order: warehouse.Order, everything: Everything) -> tuple[warehouse.Order, Problem]: ...


@command(consequential=False, summary="Look around")
def ping() -> str: ...


@command
@deprecated("use ping")
async def rpc_ping(mail: str | None = None) -> Page[int]: ...


class CornerShop(
    Service,
    version="2.1",
    security=[bearer, key],
    plugin=Plugin(contact_email="shop@example.com", logo_url="https://cdn.example.com/logo.png"),
):
    """Sell things around the corner. Orders are paid for before they are sent.

    Ask for the categories first.
    """

    get_order = get_order
    put_order = put_order
    list_orders = list_orders
    place_order = place_order
    cancel_order = cancel_order
    order_exists = order_exists
    send_parcel = send_parcel
    categories = categories
    watch = watch
    store = store
    ping = ping
    rpc_ping = rpc_ping
