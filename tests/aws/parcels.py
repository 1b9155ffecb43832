"""A small durable service: a child, a task, a timer, signals, events, a schedule, large values, and a codec."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service_kit import Codec, Event, Retry, Service, Signal, State, command, subscription, task, workflow


class Announced(Event):
    """What a command publishes."""

    parcel: str


class Sent(Event):
    """What a workflow publishes."""

    parcel: str


class Measured(Event):
    """What is too large for the bus."""

    parcel: str
    contents: str


heard = Signal("heard", str)
stage = State("stage", str)


@task
async def pack(parcel: str) -> str:
    return f"{parcel} packed"


@task(inline=True)
async def weigh(parcel: str) -> int:
    return len(parcel)


@workflow
async def wrap(parcel: str) -> str:
    return f"{await pack(parcel)}, {await weigh(parcel)} kg"


@workflow
async def send(parcel: str) -> str:
    wrapped = await wrap(parcel)
    await asyncio.sleep(1)
    await Sent(parcel=parcel).emit()
    first = await heard.receive()
    stage.set("sent")
    return f"{wrapped}; heard {first}, {await heard.receive()}"


@task
async def copy(contents: str) -> str:
    return contents


@workflow
async def store(parcel: str, contents: str) -> str:
    copied = await copy(contents)
    await Measured(parcel=parcel, contents=copied[:300_000]).emit()
    return f"{len(copied)} stored, {await heard.receive()} measured"


@subscription(Measured)
async def measure(event: Measured) -> None:
    await store.get(event.parcel).signal(heard, str(len(event.contents)))


@workflow(cron="0 9 * * *", timezone="Europe/Berlin")
async def close_books(at: datetime) -> str:
    return await pack(f"books of {at:%Y}")


@subscription(Sent | Announced, retry=Retry(max_attempts=2, backoff_s=0.1))
async def tell(event: Sent | Announced) -> None:
    await send.get(event.parcel).signal(heard, type(event).__name__)


@command
async def announce(parcel: str) -> None:
    """Announce a parcel."""
    await Announced(parcel=parcel).emit()


@dataclass(frozen=True)
class Shifted:
    """A codec for tests, whose key programs that call the service have not."""

    key: int
    name: str = "shifted-1"

    def encode(self, data: bytes) -> bytes:
        return data.translate(self._shifted(self.key))

    def decode(self, data: bytes) -> bytes:
        return data.translate(self._shifted(-self.key))

    @staticmethod
    def _shifted(by: int) -> bytes:
        return bytes((octet + by) % 256 for octet in range(256))


def codecs() -> Sequence[Codec]:
    return [Shifted(int(os.environ["PARCELS_KEY"]))]


class Parcels(Service, codecs=codecs):
    """Send parcels."""

    announce = announce
    send = send
    store = store
    close_books = close_books
    heard = heard
    stage = stage
