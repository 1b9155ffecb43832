"""What the service works with, in one place, so that tests and demos can give it doubles."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from plugins.orders.outside import FakeMail, FakePayments, FakeShipping, Mail, Payments, Shipping
from plugins.orders.repository import OrderRepository
from service_kit import Middleware, Next, Request, Response


@dataclass(frozen=True, slots=True)
class Shop:
    """Where orders are kept, and the world outside."""

    orders: OrderRepository
    payments: Payments = field(default_factory=FakePayments)
    shipping: Shipping = field(default_factory=FakeShipping)
    mail: Mail = field(default_factory=FakeMail)


_find_shop: ContextVar[Callable[[], Shop]] = ContextVar("orders_shop")


def shop() -> Shop:
    """Return the shop of whoever asks: a command, a task or a subscription."""
    return _find_shop.get()()


def lent_to_commands(find: Callable[[], Shop]) -> Middleware:
    """Return the middleware that lends each call the shop that `find` names at that moment."""

    async def lend(request: Request, call_next: Next) -> Response:
        _find_shop.set(find)
        return await call_next(request)

    return lend


def lent_to_workers(find: Callable[[], Shop]) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Return the lifespan in which tasks and subscriptions have the shop that `find` names at that moment."""

    @asynccontextmanager
    async def lend() -> AsyncGenerator[None, None]:
        _find_shop.set(find)
        yield

    return lend
