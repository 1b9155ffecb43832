"""Clients as users hold them: bound commands, options, closing, threads and loops; and against the real server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from client_kit import (
    BoundCommand,
    BoundStream,
    Connection,
    ContractDrift,
    HttpxTransport,
    InProcessTransport,
    ServiceClient,
    Transport,
    connect,
)
from service_kit import Service, ServiceError, command
from tests.client_kit.conftest import Serve
from tests.client_kit.shop import END, ITEM, URL, Order, ScriptedApp, Shop, stream


def test_commands_of_a_client_are_bound_once_and_shared() -> None:
    client = Connection(Shop, "http://h/x/").client()
    assert isinstance(client.place, BoundCommand)
    assert isinstance(client.tail, BoundStream)
    assert client.place is client.place
    assert repr(client.place) == "<BoundCommand http://h/x/rpc/place>"


def test_options_make_another_command_and_leave_the_first_as_it_was() -> None:
    app = ScriptedApp()
    with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
        keyed = shop.place.options(idempotency_key="k-1", timeout_s=5)
        later = keyed.options(request_id="r-1")
        for bound in (shop.place, keyed, later):
            bound.sync("sku-1")
    plain, with_key, with_both = (asked.headers for asked in app.asked)
    assert "idempotency-key" not in plain
    assert with_key["idempotency-key"] == with_both["idempotency-key"] == "k-1"
    assert with_both["x-request-id"] == "r-1"
    assert int(with_both["request-timeout-ms"]) <= 5000 < int(plain["request-timeout-ms"])


def test_wrong_arguments_raise_where_the_call_is_written_and_send_nothing() -> None:
    app = ScriptedApp()
    with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
        with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
            shop.place.sync("sku-1", size=3)  # type: ignore[call-arg]  # what an untyped caller writes
        with pytest.raises(TypeError, match="missing its argument 'count'"):
            shop.tail()  # type: ignore[call-arg]  # as above
        with pytest.raises(
            PydanticSerializationError, match=r"^what command 'place' is given is not of its type: "
        ):
            shop.place.sync(7)  # type: ignore[arg-type]  # as above
    assert app.asked == []


def test_a_client_that_was_not_entered_says_how_to_get_one() -> None:
    wrong: Any = connect(Shop, URL)
    with pytest.raises(
        AttributeError, match=r"'async with connect\(...\) as client', and then client\.place$"
    ):
        wrong.place("sku-1")
    assert not hasattr(wrong, "__await__")


def test_a_closed_client_says_so() -> None:
    async def main() -> None:
        async with connect(Shop, URL, transport=InProcessTransport(ScriptedApp())) as shop:
            await shop.place("sku-1")
        with pytest.raises(RuntimeError, match="is closed; make calls inside its 'async with' block"):
            await shop.place("sku-1")

    asyncio.run(main())


def test_a_service_client_made_from_the_type_calls_too(serve: Serve) -> None:
    app = ScriptedApp()

    async def main(url: str) -> Order:
        async with ServiceClient[Shop](url) as shop:
            return await shop.place("sku-1")

    assert asyncio.run(main(serve(app))).id == "o-1"


def test_one_client_serves_one_loop_after_the_other(
    serve: Serve, make_transport: Callable[[], Transport]
) -> None:
    connection = Connection(Shop, serve(ScriptedApp()), transport=make_transport())
    shop = connection.client()

    async def main() -> None:
        await shop.place("sku-1")
        await connection._session.transport.close()  # the pool of this loop; the client goes on

    for _ in range(2):
        asyncio.run(main())
    shop.place.sync("sku-1")
    asyncio.run(connection.close())


def test_one_client_serves_many_threads(serve: Serve, make_transport: Callable[[], Transport]) -> None:
    app = ScriptedApp()
    with connect(Shop, serve(app), transport=make_transport()) as shop, ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(shop.place.sync, "sku-1") for _ in range(40)]
        assert {future.result().id for future in futures} == {"o-1"}
    assert len(app.asked) == 40


def test_a_stream_may_be_left_early_and_its_connection_is_closed(serve: Serve) -> None:
    app = ScriptedApp(stream(ITEM % 0, b":wait\n\n"))

    async def main(url: str) -> None:
        async with connect(Shop, url) as shop:
            async with shop.tail.stream(3) as orders:
                async for order in orders:
                    assert order.id == "o-0"
                    break
            while not app.disconnected:
                await asyncio.sleep(0.001)

    asyncio.run(main(serve(app)))


def test_a_stream_is_not_asked_for_before_its_first_item() -> None:
    app = ScriptedApp(stream(END))

    async def main() -> None:
        async with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
            shop.tail(3)
            async with shop.tail.stream(3):
                pass
            assert app.asked == []
            assert [order async for order in shop.tail(3)] == []
            assert len(app.asked) == 1

    asyncio.run(main())


def test_a_client_of_httpx_of_ones_own_is_used() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["host"] == "shop.test"
        return httpx.Response(200, json={"id": "mocked", "sku": "s"})

    transport = HttpxTransport(
        make_async=lambda: httpx.AsyncClient(transport=httpx.MockTransport(answer)),
        make_sync=lambda: httpx.Client(transport=httpx.MockTransport(answer)),
    )

    async def main() -> None:
        async with connect(Shop, URL, transport=transport) as shop:
            assert (await shop.place("s")).id == shop.place.sync("s").id == "mocked"

    asyncio.run(main())


class Item(BaseModel):
    name: str
    price: int


class TooMany(ServiceError, status=409):
    limit: int


@command(errors=[TooMany])
async def add(name: str, price: int = 1) -> Item:
    if price > 100:
        raise TooMany(limit=100)
    return Item(name=name, price=price)


@command(errors=[TooMany])
async def count(to: int) -> AsyncIterator[Item]:
    for number in range(to):
        if number > 2:
            raise TooMany(limit=2)
        yield Item(name=str(number), price=number)


class Cart(Service):
    add = add
    count = count


class OldItem(Item):
    currency: str


@command
async def add_in_colour(name: str, colour: str = "red") -> Item:
    raise NotImplementedError


@command
async def add_priced(name: str) -> OldItem:
    raise NotImplementedError


@command
async def remove(name: str) -> None:
    raise NotImplementedError


class CartThatTookColours(Service, name="cart"):
    add = add_in_colour
    remove = remove


class CartThatHadCurrencies(Service, name="cart"):
    add = add_priced


def test_the_real_server_and_the_client_understand_each_other(serve: Serve) -> None:
    async def main(url: str) -> None:
        async with connect(Cart, url) as cart:
            assert await cart.add("a", price=3) == Item(name="a", price=3)
            with pytest.raises(TooMany) as raised:
                await cart.add("a", price=101)
            assert raised.value.limit == 100
            assert [item.price async for item in cart.count(2)] == [0, 1]
            seen: list[int] = []
            with pytest.raises(TooMany):
                async for item in cart.count(9):
                    seen.append(item.price)  # noqa: PERF401 - what came before the error counts
            assert seen == [0, 1, 2]
            keyed = cart.add.options(idempotency_key="k-1")
            assert await keyed("a") == await keyed("a")

    asyncio.run(main(serve(Cart.asgi())))


def test_the_real_server_runs_in_process_too() -> None:
    with connect(Cart, URL, transport=InProcessTransport(Cart.asgi())) as cart:
        assert cart.add.sync("a") == Item(name="a", price=1)
        assert [item.price for item in cart.count.sync(2)] == [0, 1]


def test_a_stale_contract_gets_an_error_that_names_the_command_and_the_field() -> None:
    transport = InProcessTransport(Cart.asgi())
    with connect(CartThatTookColours, URL, transport=transport) as cart:
        with pytest.raises(ContractDrift, match=r"command 'add': .*: 'colour' is sent by this contract"):
            cart.add.sync("a", colour="blue")
        with pytest.raises(
            ContractDrift, match=rf"command 'remove': the service at {URL}: has no such command"
        ):
            cart.remove.sync("a")
    with (
        connect(CartThatHadCurrencies, URL, transport=transport) as cart,
        pytest.raises(
            ContractDrift, match="command 'add': its answer: 'currency' is required by this contract"
        ),
    ):
        cart.add.sync("a")


def test_importing_the_client_loads_neither_a_server_nor_a_transport() -> None:
    program = """
import sys
from client_kit import BearerToken, ContractDrift, ServiceClient, connect
heavy = {"service_kit", "fastapi", "starlette", "boto3", "botocore", "aiohttp", "httpx", "uvicorn"}
print(sorted(heavy & sys.modules.keys()))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


def test_all_names_of_the_client_can_be_imported_without_an_extra() -> None:
    program = """
import sys
sys.modules |= dict.fromkeys(("aiohttp", "boto3", "botocore", "fastapi", "langchain_core", "mcp"))
from client_kit import *
print(connect.__name__, "AiohttpTransport" in globals())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("connect False\n", "")
