"""Doubles of the world outside, which do what they are asked once for each key, and go wrong as they are told.

What they remember is in notes, so that several processes can have the same bank.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias

from pydantic import TypeAdapter

from plugins.orders.model import CardDeclined, ParcelRefused
from plugins.orders.notes import MemoryNotes, Notes

Mishap: TypeAlias = Literal["none", "refused", "unreachable", "answer lost"]
"""What may happen to a request: it is refused for good, it is never heard, or what was done is not told."""
_MISHAP: TypeAdapter[Mishap] = TypeAdapter(Mishap)


class Script:
    """What shall go wrong next, for tests and demos; and what was asked for."""

    def __init__(self, notes: Notes, whose: str) -> None:
        self._notes = notes
        self._planned, self._requests = f"{whose}, planned", f"{whose}, requests"

    async def plan(self, *mishaps: Mishap) -> None:
        """Let these happen to the next requests, one to each."""
        first = int(max(await self._notes.read(self._planned), default="-1")) + 1
        for number, mishap in enumerate(mishaps, first):
            await self._notes.add(self._planned, f"{number:06}", mishap)

    async def requests(self) -> list[str]:
        """Return what was asked for, in no order: `charge o-1`."""
        return list((await self._notes.read(self._requests)).values())

    @asynccontextmanager
    async def request(self, what: str, refusal: Exception) -> AsyncGenerator[None, None]:
        """Do what is asked for, unless something else was planned for it."""
        await self._notes.add(self._requests, uuid.uuid4().hex, what)
        mishap = await self._next()
        if mishap == "refused":
            raise refusal
        if mishap == "unreachable":
            raise ConnectionError("no answer")
        yield
        if mishap == "answer lost":
            raise ConnectionError("the connection broke before the answer came")

    async def _next(self) -> Mishap:
        for key, mishap in (await self._notes.read(self._planned)).items():
            if await self._notes.remove(self._planned, key):
                return _MISHAP.validate_python(mishap)
        return "none"


class Ledger:
    """What was done for orders, once for each; and what was undone, after which nothing is done any more."""

    NEVER = "never"

    def __init__(self, notes: Notes, done: str, undone: str) -> None:
        self._notes, self._done, self._undone = notes, done, undone

    async def do(self, order_id: str, note: str) -> bool:
        """Tell whether it is done, now or before, and not undone."""
        if await self._notes.add(self._done, order_id, note):
            return True
        was = await self._notes.get(self._done, order_id)
        return was != self.NEVER and await self._notes.get(self._undone, order_id) is None

    async def undo(self, order_id: str) -> None:
        """Undo what was done; if nothing was, nothing will be: both contend for the one note of the order."""
        if not await self._notes.add(self._done, order_id, self.NEVER):
            was = await self._notes.get(self._done, order_id)
            if was is not None and was != self.NEVER:
                await self._notes.add(self._undone, order_id, was)

    async def done(self) -> dict[str, str]:
        """Return what was ever done, by order."""
        return {
            order: note for order, note in (await self._notes.read(self._done)).items() if note != self.NEVER
        }

    async def undone(self) -> dict[str, str]:
        return await self._notes.read(self._undone)


class FakePayments:
    """A bank."""

    def __init__(self, notes: Notes | None = None) -> None:
        notes = notes or MemoryNotes()
        self.script = Script(notes, "bank")
        self._ledger = Ledger(notes, "charged", "refunded")

    async def charge(self, order_id: str, cents: int) -> str:
        declined = CardDeclined(order_id=order_id)
        async with self.script.request(f"charge {order_id}", declined):
            if not await self._ledger.do(order_id, str(cents)):
                raise declined
        return f"pay-{order_id}"

    async def refund(self, order_id: str) -> None:
        async with self.script.request(f"refund {order_id}", CardDeclined(order_id=order_id)):
            await self._ledger.undo(order_id)

    async def charged(self) -> dict[str, int]:
        """Return what was taken, in cents by order."""
        return {order: int(cents) for order, cents in (await self._ledger.done()).items()}

    async def refunded(self) -> dict[str, int]:
        """Return what was given back, in cents by order."""
        return {order: int(cents) for order, cents in (await self._ledger.undone()).items()}


class FakeShipping:
    """A carrier."""

    def __init__(self, notes: Notes | None = None) -> None:
        notes = notes or MemoryNotes()
        self.script = Script(notes, "carrier")
        self._ledger = Ledger(notes, "shipped", "recalled")

    async def ship(self, order_id: str) -> str:
        refused = ParcelRefused(order_id=order_id)
        tracking_id = f"track-{order_id}"
        async with self.script.request(f"ship {order_id}", refused):
            if not await self._ledger.do(order_id, tracking_id):
                raise refused
        return tracking_id

    async def recall(self, order_id: str) -> None:
        async with self.script.request(f"recall {order_id}", ParcelRefused(order_id=order_id)):
            await self._ledger.undo(order_id)

    async def parcels(self) -> dict[str, str]:
        """Return the tracking numbers of what is on its way, by order."""
        recalled = await self._ledger.undone()
        return {
            order: parcel for order, parcel in (await self._ledger.done()).items() if order not in recalled
        }


class FakeMail:
    """A mail server."""

    def __init__(self, notes: Notes | None = None) -> None:
        self._notes = notes or MemoryNotes()
        self.script = Script(self._notes, "mail")

    async def send(self, key: str, to: str, text: str) -> None:
        async with self.script.request(f"send {key}", ConnectionRefusedError("the mail server is closed")):
            await self._notes.add("mails", key, f"{to}: {text}")

    async def sent(self) -> list[str]:
        """Return what was sent to whom, in the order of the mails' keys."""
        return list((await self._notes.read("mails")).values())
