"""What tests of a service see of it: mocks and recorded calls, typed by what they are of."""

# pyright: strict
from __future__ import annotations

from typing import reveal_type

from service_kit import Event, Service, subscription, task, workflow
from service_kit.testing import TestEnvironment


class Opened(Event):
    account: str


class Closed(Event):
    account: str
    reason: str


@task
async def check(account: str) -> int:
    return len(account)


@subscription(Opened)
async def greet(event: Opened) -> None: ...


@subscription(Closed | Opened)
async def keep_books(event: Closed | Opened) -> None: ...


@workflow
async def open_account(account: str) -> bool:
    return await check(account) > 0


class Accounts(Service):
    open_account = open_account


def use(env: TestEnvironment[Accounts]) -> None:
    reveal_type(env.run_until_complete(env.start(open_account, "a-1")))  # reveal: bool
    env.start(open_account, 1)  # error: wrong type: str
    env.mock(check).returns(1)
    env.mock(check).returns("one")  # error: wrong type: int
    env.mock(greet).returns(None)
    env.mock(greet).calls(lambda event: event.account)
    reveal_type(env.calls_of(check)[0].execution)  # reveal: str
    reveal_type(env.calls_of(greet)[0].event)  # reveal: Opened
    reveal_type(env.calls_of(keep_books)[0].event)  # reveal: Closed | Opened
    env.calls_of(greet)[0].event.reason  # error: no attribute: reason
    reveal_type(env.events_of(Opened))  # reveal: list[Opened]
