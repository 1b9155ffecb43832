"""Mistakes with what is not ours, told at the definition: packages that types need, and middleware."""

from __future__ import annotations

import functools
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pydantic.networks
import pytest
from pydantic import EmailStr
from starlette.middleware.gzip import GZipMiddleware

from service_kit import AsgiMiddleware, Next, Request, Response, Service, Signal, command, task
from service_kit.errors import DefinitionError


@pytest.fixture
def without_email_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "email_validator", None)
    monkeypatch.setattr(pydantic.networks, "email_validator", None, raising=False)


@pytest.mark.usefixtures("without_email_validator")
def test_a_type_that_needs_a_package_says_which() -> None:
    decorators: list[Any] = [command, command(method="GET"), task]
    for decorate in decorators:
        with pytest.raises(DefinitionError) as caught:

            @decorate  # type: ignore[untyped-decorator]  # of several kinds
            async def invite(name: str, address: EmailStr) -> None: ...

            class Invitations(Service):
                invite_ = invite

        told = str(caught.value)
        assert "'invite'" in told
        assert "parameter 'address'" in told
        assert "pip install 'pydantic[email]'" in told


@pytest.mark.usefixtures("without_email_validator")
def test_a_result_and_a_signal_say_so_too() -> None:
    with pytest.raises(DefinitionError, match=r"'find'.*, its result: .*pydantic\[email\]"):

        @command
        async def find() -> EmailStr: ...

        find.codec  # noqa: B018

    with pytest.raises(DefinitionError, match=r"signal 'moved': .*pydantic\[email\]"):
        Signal("moved", EmailStr).encode("a@example.com")


def sync(request: Request, call_next: Next) -> Response:
    return Response(200)


async def fine(request: Request, call_next: Next) -> Response:
    return await call_next(request)


class Callable_:
    async def __call__(self, request: Request, call_next: Next) -> Response:
        return await call_next(request)


class SyncCallable:
    def __call__(self, request: Request, call_next: Next) -> Response:
        return Response(200)


def wrapped(function: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    @functools.wraps(function)
    def call(*args: Any) -> Awaitable[Response]:
        return function(*args)

    return call


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (sync, "middleware 'sync' is not async; write 'async def'"),
        (SyncCallable(), "is not async; write 'async def'"),
        (lambda request, call_next: Response(200), "<lambda>' is not async"),
        (GZipMiddleware, "use holds the class GZipMiddleware; wrap ASGI middleware"),
        ("fine", "use holds 'fine'; list async functions"),
    ],
)
def test_middleware_that_would_fail_with_the_first_request_fails_at_its_definition(
    layer: Any, said: str
) -> None:
    with pytest.raises(DefinitionError) as caught:

        class Shop(Service, use=[layer]): ...

    assert "service 'Shop'" in str(caught.value)
    assert said in str(caught.value)

    with pytest.raises(DefinitionError) as caught:

        @command(use=[layer])
        async def look() -> None: ...

    assert "command 'look'" in str(caught.value)
    assert said in str(caught.value)


def test_whatever_is_awaited_is_middleware() -> None:
    layers: list[Any] = [fine, Callable_(), Callable_().__call__, functools.partial(fine), wrapped(fine)]

    @command(use=layers)
    async def look() -> None: ...

    class Shop(Service, use=[*layers, AsgiMiddleware(GZipMiddleware, minimum_size=1)]):
        look_ = look


def test_middleware_is_given_as_a_list() -> None:
    with pytest.raises(DefinitionError, match=r"use is .*; give a list"):

        @command(use=cast(Any, fine))
        async def look() -> None: ...
