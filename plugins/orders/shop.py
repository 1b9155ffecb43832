"""What the service works with, in one place, so that tests and demos can give it doubles."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from plugins.orders.doubles import FakeMail, FakePayments, FakeShipping
from plugins.orders.outside import Mail, Payments, Shipping
from plugins.orders.repository import OrderRepository


@dataclass(frozen=True, slots=True)
class Shop:
    """Where orders are kept, and the world outside."""

    orders: OrderRepository
    payments: Payments = field(default_factory=FakePayments)
    shipping: Shipping = field(default_factory=FakeShipping)
    mail: Mail = field(default_factory=FakeMail)


_shop: ContextVar[Shop] = ContextVar("orders_shop")


def shop() -> Shop:
    """Return the shop of whoever asks: a command, a task or a subscription."""
    return _shop.get()


def lent(open_shop: Callable[[], Shop]) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Return the lifespan in which commands, tasks and subscriptions have this shop."""

    @asynccontextmanager
    async def lend() -> AsyncGenerator[None, None]:
        _shop.set(open_shop())
        yield

    return lend
