"""Credentials: where they travel, when tokens are fetched, and AWS signatures against AWS's own numbers."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any, Literal

import pytest

from client_kit import (
    ApiKeyAuth,
    Auth,
    BearerToken,
    CallTimeout,
    ClientOptions,
    InProcessTransport,
    ProblemError,
    RefreshingToken,
    Token,
    connect,
)
from tests.client_kit.shop import URL, Answer, ScriptedApp, Shop, problem

UNAUTHENTICATED = problem(401, "urn:problem-type:service-kit:unauthenticated")


def _call(app: ScriptedApp, auth: Auth, **options: Any) -> None:
    with connect(Shop, URL, transport=InProcessTransport(app), auth=auth, **options) as shop:
        shop.place.sync("sku-1")


def _sent(app: ScriptedApp, header: str = "authorization") -> list[str | None]:
    return [asked.headers.get(header) for asked in app.asked]


def test_a_bearer_token_travels_in_the_authorization_header() -> None:
    app = ScriptedApp()
    _call(app, BearerToken("t-1"))
    assert _sent(app) == ["Bearer t-1"]


@pytest.mark.parametrize(
    ("location", "seen"),
    [("header", "a/b=c"), ("query", "X-Key=a%2Fb%3Dc"), ("cookie", "X-Key=a/b=c")],
)
def test_an_api_key_travels_where_the_scheme_says(
    location: Literal["header", "query", "cookie"], seen: str
) -> None:
    app = ScriptedApp()
    _call(app, ApiKeyAuth("a/b=c", name="X-Key", location=location))
    [asked] = app.asked
    found = {
        "header": asked.headers.get("x-key"),
        "query": asked.query,
        "cookie": asked.headers.get("cookie"),
    }
    assert found[location] == seen
    assert asked.path == "/rpc/place"


def test_a_cookie_of_the_options_is_kept_beside_the_key() -> None:
    app = ScriptedApp()
    auth = ApiKeyAuth("k", name="key", location="cookie")
    _call(app, auth, options=ClientOptions(headers={"Cookie": "a=b"}))
    assert _sent(app, "cookie") == ["a=b; key=k"]


@pytest.mark.parametrize("auth", [BearerToken("hunter2"), ApiKeyAuth("hunter2"), Token("hunter2")])
def test_secrets_are_not_in_the_text_of_the_objects_that_hold_them(auth: object) -> None:
    assert "hunter2" not in repr(auth)


class _Issuer:
    """Gives t-1, t-2, ... that live for `lifetime_s`; counts how often it was asked."""

    def __init__(self, lifetime_s: float | None = None) -> None:
        self.count = 0
        self.lifetime_s = lifetime_s

    def __call__(self) -> Token:
        self.count += 1
        return Token(f"t-{self.count}", self.lifetime_s)

    async def asynchronously(self) -> Token:
        await asyncio.sleep(0)
        return self()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_token_is_fetched_once_and_again_before_it_expires(kind: str) -> None:
    now = [0.0]
    issuer = _Issuer(lifetime_s=100)
    fetch = issuer if kind == "sync" else issuer.asynchronously
    auth = RefreshingToken(fetch, early_s=30, clock=lambda: now[0])
    app = ScriptedApp()
    for now[0] in (0.0, 69.0, 70.0, 139.0):
        _call(app, auth)
    assert _sent(app) == ["Bearer t-1", "Bearer t-1", "Bearer t-2", "Bearer t-2"]


def test_a_short_token_is_used_for_half_its_life() -> None:
    now = [0.0]
    auth = RefreshingToken(_Issuer(lifetime_s=10), early_s=30, clock=lambda: now[0])
    app = ScriptedApp()
    for now[0] in (0.0, 4.9, 5.0):
        _call(app, auth)
    assert _sent(app) == ["Bearer t-1", "Bearer t-1", "Bearer t-2"]


def test_a_refused_token_is_fetched_again_once() -> None:
    app = ScriptedApp(UNAUTHENTICATED, Answer())
    auth = RefreshingToken(_Issuer())
    _call(app, auth)
    assert _sent(app) == ["Bearer t-1", "Bearer t-2"]
    refusing = ScriptedApp(UNAUTHENTICATED)
    with pytest.raises(ProblemError, match="401"):
        _call(refusing, auth)
    assert _sent(refusing) == ["Bearer t-2", "Bearer t-3"]


def test_a_static_token_that_is_refused_is_not_sent_again() -> None:
    app = ScriptedApp(UNAUTHENTICATED)
    with pytest.raises(ProblemError, match="401"):
        _call(app, BearerToken("t"))
    assert len(app.asked) == 1


def test_fifty_calls_at_once_fetch_one_token() -> None:
    issuer = _Issuer()
    app = ScriptedApp()

    async def main() -> None:
        auth = RefreshingToken(issuer.asynchronously)
        async with connect(Shop, URL, transport=InProcessTransport(app), auth=auth) as shop:
            await asyncio.gather(*(shop.place("sku-1") for _ in range(50)))

    asyncio.run(main())
    assert issuer.count == 1
    assert _sent(app) == ["Bearer t-1"] * 50


def test_threads_and_loops_share_one_fetch() -> None:
    issuer = _Issuer()
    barrier = Barrier(8)

    def fetch() -> Token:
        return issuer()

    auth = RefreshingToken(fetch)
    app = ScriptedApp()

    def call(number: int) -> None:
        barrier.wait()
        if number % 2:
            _call(app, auth)
            return

        async def main() -> None:
            async with connect(Shop, URL, transport=InProcessTransport(app), auth=auth) as shop:
                await shop.place("sku-1")

        asyncio.run(main())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(8)))
    assert issuer.count == 1


def test_what_the_function_raises_all_who_wait_raise_and_the_next_call_tries_again() -> None:
    attempts: list[int] = []

    async def fetch() -> Token:
        attempts.append(1)
        await asyncio.sleep(0)
        if len(attempts) == 1:
            raise LookupError("no such client")
        return Token("t")

    async def main() -> list[object]:
        auth = RefreshingToken(fetch)
        async with connect(Shop, URL, transport=InProcessTransport(ScriptedApp()), auth=auth) as shop:
            failed = await asyncio.gather(*(shop.place("s") for _ in range(3)), return_exceptions=True)
            await shop.place("s")
            return list(failed)

    assert [str(error) for error in asyncio.run(main())] == ["no such client"] * 3
    assert len(attempts) == 2


def test_a_cancelled_fetch_is_taken_over_by_one_who_waits() -> None:
    fetching: list[asyncio.Future[None]] = []

    async def fetch() -> Token:
        fetching.append(asyncio.get_running_loop().create_future())
        await fetching[-1]
        return Token(f"t-{len(fetching)}")

    app = ScriptedApp()

    async def main() -> None:
        auth = RefreshingToken(fetch)
        async with connect(Shop, URL, transport=InProcessTransport(app), auth=auth) as shop:
            first = asyncio.ensure_future(shop.place("s"))
            second = asyncio.ensure_future(shop.place("s"))
            while not fetching:
                await asyncio.sleep(0)
            first.cancel()
            while len(fetching) < 2:
                await asyncio.sleep(0)
            fetching[1].set_result(None)
            await second
            assert first.cancelled()

    asyncio.run(main())
    assert _sent(app) == ["Bearer t-2"]


def test_one_who_gives_up_waiting_does_not_cancel_the_fetch_of_the_others() -> None:
    app = ScriptedApp()

    async def main() -> None:
        gate = asyncio.Event()

        async def fetch() -> Token:
            await gate.wait()
            return Token("t-1")

        auth = RefreshingToken(fetch)
        async with connect(Shop, URL, transport=InProcessTransport(app), auth=auth) as shop:
            leader = asyncio.ensure_future(shop.place("s"))
            await asyncio.sleep(0)
            with pytest.raises(CallTimeout):
                await shop.place.options(timeout_s=0.01)("s")
            gate.set()
            await leader

    asyncio.run(main())
    assert _sent(app) == ["Bearer t-1"]


def test_a_slow_token_counts_into_the_time_of_the_call() -> None:
    over = Event()

    async def fetch() -> Token:
        while not over.is_set():
            await asyncio.sleep(0.001)
        return Token("t")

    try:
        with pytest.raises(CallTimeout, match="command 'place'"):
            _call(ScriptedApp(), RefreshingToken(fetch), timeout_s=0.01)
    finally:
        over.set()


def test_blocking_a_loop_that_is_fetching_the_token_is_an_error_and_no_deadlock() -> None:
    async def main() -> None:
        async def fetch() -> Token:
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="await this call too"):
                shop.place.sync("s")
            return Token("t")

        auth = RefreshingToken(fetch)
        async with connect(Shop, URL, transport=InProcessTransport(ScriptedApp()), auth=auth) as shop:
            await shop.place("s")

    asyncio.run(main())
