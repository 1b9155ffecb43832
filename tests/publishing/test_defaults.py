"""Defaults of a service as its callers have them: the same values, in a package that can be imported and checked."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, NewType

import pytest
from pydantic import BaseModel, Field, SecretStr

from service_kit import Service, command
from service_kit.publishing.declared import publish_service
from service_kit.publishing.definitions import Ledger
from service_kit.publishing.types import TypeReader
from tests.publishing.packages import imported

Sku = NewType("Sku", str)


class Sized(BaseModel):
    width: int = Field(alias="Width")
    depth: int = Field(default=3, validation_alias="Depth")


class Told(BaseModel):
    wait: timedelta = timedelta(days=30_000, microseconds=7)
    before: timedelta = timedelta(days=-1, seconds=3)
    size: Sized = Sized(Width=4)
    deep: Sized = Sized(Width=4, Depth=5)
    sku: Sku = Sku("lamp")
    few: Annotated[int, None] = 1


class Secret(BaseModel):
    word: SecretStr = SecretStr("sesame")


@dataclasses.dataclass
class Point:
    x: int = 0
    seen: list[int] = dataclasses.field(default_factory=lambda: [1])
    y: int = dataclasses.field(kw_only=True)
    z: int = dataclasses.field(default=5, kw_only=True)


@command
async def tell(
    told: Told = Told(deep=Sized(Width=1)),  # noqa: B008 - defaults are what is tested
    sku: Sku = Sku("chair"),
    secret: Secret = Secret(),  # noqa: B008
    point: Point = Point(y=1),  # noqa: B008
) -> None: ...


class Defaults(Service):
    tell = tell


def test_defaults_are_the_same_at_the_caller_and_in_types_that_hold(tmp_path: Path) -> None:
    published = publish_service(Defaults)
    package = imported(published, tmp_path)
    sized = package.Sized(Width=1)
    there, here = package.Told(deep=sized), Told(deep=Sized(Width=1))
    assert there.model_dump_json() == here.model_dump_json()
    assert dataclasses.asdict(package.Point(1, y=2, seen=[1])) == dataclasses.asdict(Point(1, y=2))
    # What the package cannot make, the service does.
    assert package.Defaults.tell.encode_call((), {}) == b"{}"
    assert not [note for note in published.notes if "NoneType" in note]
    folder = package.__path__[0]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", folder], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


class URL(BaseModel):
    """A name that the package's own constant has."""


@pytest.mark.parametrize(("url", "name"), [(None, "URL"), ("https://shop.test", "URL_")])
def test_a_model_does_not_hide_where_the_service_is(url: str | None, name: str, tmp_path: Path) -> None:
    published = dataclasses.replace(publish_service(Defaults), url=url)
    ledger = Ledger(published.definitions)
    TypeReader(ledger).refer(URL)
    package = imported(published, tmp_path)
    assert issubclass(getattr(package, name), BaseModel)
    assert url is None or url == package.URL
