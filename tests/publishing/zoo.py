"""A service with everything in its signatures that has to survive publication."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypeAlias, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    PositiveInt,
    RootModel,
    StringConstraints,
    computed_field,
    field_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypeAliasType, TypedDict

from service_kit import Event, Header, Query, Service, ServiceError, Signal, State, command, workflow
from tests.publishing import far

T = TypeVar("T")
K = TypeVar("K", bound=str)
UserId = NewType("UserId", int)
Json = TypeAliasType("Json", "dict[str, Json] | list[Json] | str | int | bool | None")
Name: TypeAlias = Annotated[str, StringConstraints(min_length=2, pattern=r"^\w+$")]


class Color(StrEnum):
    """Of an animal."""

    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = Field(9, ge=0, le=9, description='It "has" many.')


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    color: Color = Color.RED
    tags: list[str] = []
    ids: list[UUID] = Field(default_factory=list)
    chip: UUID = Field(default_factory=uuid.uuid4)


Pet: TypeAlias = Annotated[Cat | Dog, Field(discriminator="kind")]


class Page(BaseModel, Generic[T]):
    """A page."""

    items: list[T]
    after: str | None = None


class PetPage(Page[Pet]):
    total: int = 0


class Chain(BaseModel, Generic[T]):
    value: T
    next: Chain[T] | None = None
    page: Page[T] | None = None


class Shelf(BaseModel):
    pages: list[Page]  # type: ignore[type-arg]  # of any: what is tested


class Keyed(Page[T], Generic[K, T]):
    by: dict[K, T]


class Tree(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    value: int
    children: list[Tree] = []
    parent: Tree | None = None


def _checked(value: str) -> str:
    return value


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    first_name: str
    last_name: Annotated[str, AfterValidator(_checked)] = Field(
        "x", validation_alias=AliasChoices("last_name", "ln")
    )
    date: date
    list: builtins.list[int] | None = None

    @field_validator("first_name")
    @classmethod
    def _strip(cls, value: str) -> str:
        return value.strip()

    @computed_field  # type: ignore[prop-decorator]  # mypy knows of no decorated properties
    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Names(RootModel[list[str]]):
    """Names."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point."""

    x: float
    y: float = 0.0
    more: list[int] = field(default_factory=list)


@pydantic_dataclass(kw_only=True)
class Box:
    corner: Point
    size: Annotated[int, Field(gt=0)] = 1


class Movie(TypedDict):
    """A movie."""

    name: str
    year: NotRequired[int]


class Version(NamedTuple):
    major: int
    minor: int = 0


class Broken(ServiceError, status=418, title="Quite broken"):
    """It broke."""

    level: Level
    why: str = "no reason"
    pet: Pet | None = None


class Closed(ServiceError, status=409):
    until: date = Field(default=date(2030, 1, 1), description="When it opens")


class Happened(Event, name="zoo.happened"):
    """It happened."""

    what: Pet
    at: datetime = datetime(2020, 1, 1, tzinfo=UTC)


moved = Signal("moved", Pet)
seen = State("seen", list[Point] | None)


@command(method="POST", path="/zoo/{zoo_id}/pets", errors=[Broken, Closed], timeout_s=3.5, tags=["zoo"])
async def add_pet(
    zoo_id: UserId,
    pet: Pet,
    *,
    trace: Annotated[str | None, Header("x-trace")] = None,
    wait_s: Annotated[float, Query()] = 0.5,
    colors: Sequence[Color] = (Color.RED, Color.GREEN),
    since: date = date(2020, 1, 2),
) -> Page[Pet]:
    r"""Add a \pet.

    With "quotes", over lines.
        Indented.
    """


@command(method="GET", summary="Show some", consequential=True)
async def show(
    of: list[int],
    price: Decimal = Decimal("1.50"),
    pause: timedelta = timedelta(seconds=3),
    levels: Sequence[Level] = [Level.LOW],
) -> dict[str, int]: ...


@command
def grow(tree: Tree) -> Tree | None: ...


@command
async def link(chain: Chain[int]) -> Shelf: ...


@command
async def mix(
    a: Box,
    b: Point,
    c: Movie,
    d: Version,
    e: Names,
    f: Camel,
    g: PositiveInt,
    h: Json,
    i: Any,
    j: far.Cat,
    k: Name,
    l: Keyed[str, int],  # noqa: E741 - callers may name things so
    m: HttpUrl | None = None,
    n: tuple[int, ...] = (),
) -> PetPage: ...


@command(method="GET", path="/tail")
async def tail(of: Color = Color.RED) -> AsyncIterator[Pet]:
    yield Cat()


@workflow(timeout_s=60)
async def live(pet: Pet, *, days: int = 3) -> Point:
    """Live."""
    raise Broken(level=Level.LOW)


class Zoo(Service, version="2.0"):
    """A zoo of types."""

    add_pet = add_pet
    list = show
    grow = grow
    link = link
    mix = mix
    tail = tail
    live = live
    moved = moved
    seen = seen
