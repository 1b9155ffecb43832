"""Bearer tokens: one that stays, and one that is fetched again before it expires or when it is refused."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import cast

from client_kit.effects import Fetch, Flow, Wait
from client_kit.options import check_header_value
from client_kit.wire import Request

__all__ = ["BearerToken", "RefreshingToken", "Token"]


class BearerToken:
    """Send a token that does not change: `Authorization: Bearer <token>`."""

    def __init__(self, token: str) -> None:
        self._headers = _headers(token)

    def authorize(self, request: Request) -> Flow[Request]:
        yield from ()  # asks for nothing
        return request.with_headers(self._headers)

    def rejected(self, request: Request) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Token:
    """A fetched token; `lifetime_s` as OAuth's `expires_in`, None if it does not say."""

    value: str = field(repr=False)
    lifetime_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Held:
    headers: dict[str, str]
    fresh_until: float


class RefreshingToken:
    """Send a bearer token that `fetch` gives, sync or async; it is called again before the token expires.

    It is also called once when the service answers 401. However many calls need a token at the same time, from
    whatever threads and loops, one of them fetches it and the others wait. What `fetch` raises, all of
    them raise.
    """

    def __init__(
        self,
        fetch: Callable[[], Token | Awaitable[Token]],
        *,
        early_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._early_s = early_s
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._flight: Wait | None = None

    def authorize(self, request: Request) -> Flow[Request]:
        while True:
            with self._lock:
                if self._held is not None and self._clock() < self._held.fresh_until:
                    return request.with_headers(self._held.headers)
                flight, leads = self._flight, self._flight is None
                if flight is None:
                    flight = self._flight = Wait(Future(), threading.get_ident())
            if leads:
                held = yield from self._lead(flight)
                return request.with_headers(held.headers)
            yield flight  # then look again: the one who fetched may have been cancelled

    def rejected(self, request: Request) -> bool:
        with self._lock:
            if self._held is not None and self._held.headers["authorization"] == request.headers.get(
                "authorization"
            ):
                self._held = None
        return True

    def _lead(self, flight: Wait) -> Flow[_Held]:
        """Fetch for all who wait for `flight`."""
        failure: Exception | None = None
        held: _Held | None = None
        try:
            token = cast(Token, (yield Fetch(self._fetch)))
            held = _Held(_headers(token.value), self._clock() + self._fresh_s(token))
            return held  # noqa: TRY300 - the flight lands in any case
        except TimeoutError:
            raise  # this call's time is over, which is no answer for the others
        except Exception as error:
            failure = error
            raise
        finally:
            with self._lock:
                self._held, self._flight = held, None
            if failure is None:
                flight.future.set_result(None)
            else:
                flight.future.set_exception(failure)

    def _fresh_s(self, token: Token) -> float:
        if token.lifetime_s is None:
            return math.inf
        return token.lifetime_s - min(self._early_s, token.lifetime_s / 2)


def _headers(token: str) -> dict[str, str]:
    check_header_value("token", token)
    return {"authorization": f"Bearer {token}"}
