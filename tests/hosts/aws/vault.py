"""A service of large and secret values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service_kit import Codec, Event, Service, Signal, command, subscription, task, workflow

MARK = "confidential"
"""Stands in every value."""
LENGTHS: list[int] = []
"""Of the events that were handled."""


@dataclass(frozen=True)
class Backwards:
    """Anybody can read it, but nobody finds a word in it."""

    name: str = "backwards-1"

    def encode(self, data: bytes) -> bytes:
        return data[::-1]

    def decode(self, data: bytes) -> bytes:
        return data[::-1]


class Deposited(Event):
    what: str


measured = Signal("measured", int)


@task
async def copy(what: str) -> str:
    return what


@workflow
async def keep(what: str) -> str:
    copied = await copy(what)
    await Deposited(what=copied[:300_000]).emit()
    return copied


@subscription(Deposited)
async def measure(event: Deposited) -> None:
    LENGTHS.append(len(event.what))


@command
async def deposit(what: str) -> None:
    await Deposited(what=what).emit()


class Vault(Service):
    """Keep things."""

    deposit = deposit
    keep = keep


def backwards() -> Sequence[Codec]:
    return [Backwards()]


class SealedVault(Vault, name="vault", codecs=backwards):
    """Keep things in secret."""
