"""The world outside of the service: who takes the money, who ships, who mails; and doubles of them in memory.

All of them are asked at least once, because an answer can get lost. So each request has a key, and the same key
twice is one payment, one parcel, one mail. Real providers call it an idempotency key.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from plugins.orders.model import CardDeclined, ParcelRefused


class Payments(Protocol):
    """Take money and give it back."""

    async def charge(self, order_id: str, cents: int) -> str:
        """Take the money for an order, once; return the payment's id. Raises CardDeclined."""
        ...

    async def refund(self, order_id: str) -> None:
        """Give back what was taken for an order, if it was, and take nothing for it any more."""
        ...


class Shipping(Protocol):
    """Bring parcels to customers."""

    async def ship(self, order_id: str) -> str:
        """Send an order's parcel, once; return its tracking number. Raises ParcelRefused."""
        ...

    async def recall(self, order_id: str) -> None:
        """Bring an order's parcel back, if it was sent, and send none for it any more."""
        ...


class Mail(Protocol):
    """Write to customers."""

    async def send(self, key: str, to: str, text: str) -> None:
        """Send a mail; once for each key."""
        ...


class Script:
    """What shall go wrong next, for tests and demos."""

    def __init__(self) -> None:
        self.requests = 0
        self._failures: deque[Exception | None] = deque()
        self._lost_answers = 0

    def fail(self, *errors: Exception | None) -> None:
        """Raise these errors, one in each of the next requests, instead of doing anything; None lets one pass."""
        self._failures.extend(errors)

    def lose_answers(self, count: int = 1) -> None:
        """Do what the next requests ask for, but let nobody hear of it."""
        self._lost_answers += count

    def begin(self) -> None:
        self.requests += 1
        error = self._failures.popleft() if self._failures else None
        if error is not None:
            raise error

    def end(self) -> None:
        if self._lost_answers:
            self._lost_answers -= 1
            raise ConnectionError("the connection broke before the answer came")


class FakePayments:
    """A bank in memory. `charged` and `refunded` are cents by order."""

    def __init__(self) -> None:
        self.script = Script()
        self.charged: dict[str, int] = {}
        self.refunded: dict[str, int] = {}
        self._void: set[str] = set()

    async def charge(self, order_id: str, cents: int) -> str:
        self.script.begin()
        if order_id in self._void:
            raise CardDeclined(order_id=order_id)
        self.charged.setdefault(order_id, cents)
        self.script.end()
        return f"pay-{order_id}"

    async def refund(self, order_id: str) -> None:
        self.script.begin()
        if order_id in self.charged and order_id not in self._void:
            self.refunded[order_id] = self.refunded.get(order_id, 0) + self.charged[order_id]
        self._void.add(order_id)
        self.script.end()


class FakeShipping:
    """A carrier in memory. `parcels` are tracking numbers by order."""

    def __init__(self) -> None:
        self.script = Script()
        self.parcels: dict[str, str] = {}
        self.recalled: set[str] = set()

    async def ship(self, order_id: str) -> str:
        self.script.begin()
        if order_id in self.recalled:
            raise ParcelRefused(order_id=order_id)
        tracking_id = self.parcels.setdefault(order_id, f"track-{order_id}")
        self.script.end()
        return tracking_id

    async def recall(self, order_id: str) -> None:
        self.script.begin()
        self.parcels.pop(order_id, None)
        self.recalled.add(order_id)
        self.script.end()


class FakeMail:
    """A mail server in memory. `sent` holds who got what, in order."""

    def __init__(self) -> None:
        self.script = Script()
        self.sent: list[tuple[str, str]] = []
        self._keys: set[str] = set()

    async def send(self, key: str, to: str, text: str) -> None:
        self.script.begin()
        if key not in self._keys:
            self._keys.add(key)
            self.sent.append((to, text))
        self.script.end()
