"""Mistakes in a contract, as its author sees them."""

# pyright: strict
from __future__ import annotations

from typing import reveal_type

from client_kit import conect  # error: no such name: conect
from service_kit import Service, ServiceError, command
from service_kit import comand  # error: no such name: comand
from tests.typing.cases.orders import Closed, OutOfStock


@command(method="FETCH")  # error: wrong type
async def unknown_method() -> int:
    return 1


@command(timeout=3)  # error: unknown keyword: command
async def unknown_option() -> int:
    return 1


@command(timeout_s="soon")  # error: wrong type
async def option_of_wrong_type() -> int:
    return 1


@command(errors=[ValueError])  # error: wrong type: type[ServiceError]
async def undeclarable_error() -> int:
    return 1


class Misspelt(Service, verison="1.0"):  # error: unknown keyword: verison
    pass


class Numbered(Service, version=1):  # error: wrong type: str
    pass


class Teapot(ServiceError, status="418"):  # error(mypy, pyright, pyrefly, ty): wrong type: int
    pass


class Unavailable(ServiceError, code=503):  # error(mypy, pyright, pyrefly, ty): unknown keyword: code
    pass


def build_errors() -> None:
    OutOfStock(sku="sku-1", left=2)
    OutOfStock(sku="sku-1")
    OutOfStock()  # error: missing argument: sku
    OutOfStock(sku=1)  # error: wrong type: str
    OutOfStock(sku="sku-1", shelf="a")  # error: unknown keyword: shelf
    Closed("tomorrow")  # error: too many arguments


def catch_errors() -> None:
    try:
        build_errors()
    except OutOfStock as error:
        reveal_type(error.sku)  # reveal(mypy, pyright, pyrefly, ty): str # reveal(zuban): Any
        reveal_type(error.left)  # reveal(mypy, pyright, pyrefly, ty): int # reveal(zuban): Any
        reveal_type(error.status)  # reveal(mypy, pyright, pyrefly, ty): int # reveal(zuban): Any
        error.shelf  # error(mypy, pyright, pyrefly, ty): no attribute: shelf
