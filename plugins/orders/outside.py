"""The world outside of the service: who takes the money, who ships, who mails. `doubles.py` has doubles of them.

All of them are asked at least once, because an answer can get lost. So each request has a key, and the same key
twice is one payment, one parcel, one mail. Real providers call it an idempotency key.
"""

from __future__ import annotations

from typing import Protocol


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
