"""A service inside somebody's FastAPI application, raw routes inside a service, and lifespans of both."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException

from service_kit import ApiKey, Cors, DefinitionError, Service, command, task
from service_kit.http.access_log import JsonFormatter
from tests.http.conftest import Ask

life: list[str] = []


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    life.append("open")
    await asyncio.sleep(0)
    yield
    life.append("close")


@command(method="GET", path="/orders/{order_id}")
async def get_order(order_id: str) -> str:
    assert life[-1] == "open"
    return order_id


class Orders(Service, lifespan=lifespan):
    """Orders."""

    get_order = get_order


async def only_k(key: str) -> str | None:
    return key if key == "k" else None


router = APIRouter()


@router.get("/raw/{number}")
async def raw(number: int) -> dict[str, int]:
    if number == 0:
        raise HTTPException(404, "no zero", headers={"x-why": "zero"})
    if number < 0:
        raise RuntimeError("s3cret")
    return {"number": number}


class WithRaw(Service, routes=[router]):
    get_order = get_order


class LockedRaw(Service, routes=[router], security=[ApiKey(only_k)]):
    pass


def mounted() -> FastAPI:
    application = FastAPI()
    application.mount("/shop/orders", Orders.asgi())
    return application


def test_a_mounted_service_serves_under_its_prefix_and_knows_it(ask: Ask) -> None:
    life.clear()
    application = mounted()
    assert ask(application, "GET", "/shop/orders/orders/7").json() == "7"
    document = ask(application, "GET", "/shop/orders/openapi.json").json()
    assert document["servers"] == [{"url": "http://orders.test/shop/orders"}]
    manifest = ask(application, "GET", "/shop/orders/.well-known/ai-plugin.json").json()
    assert manifest["api"]["url"] == "http://orders.test/shop/orders/openapi.json"
    assert manifest["logo_url"] == "http://orders.test/shop/orders/logo.svg"
    catalog = ask(application, "GET", "/shop/orders/.well-known/api-catalog")
    assert catalog.json()["linkset"][1]["anchor"] == "http://orders.test/shop/orders"
    assert catalog.headers["link"].startswith("<http://orders.test/shop/orders/.well-known/api-catalog>")
    page = ask(application, "GET", "/shop/orders/llms.txt").text
    assert "(http://orders.test/shop/orders/openapi.json)" in page
    assert '"/shop/orders/openapi.json"' in ask(application, "GET", "/shop/orders/docs").text
    problem = ask(application, "GET", "/shop/orders/nothing").json()
    assert problem["type"] == "urn:problem-type:service-kit:not-found"


def test_a_mounted_services_lifespan_opens_with_the_first_request_and_closes_with_the_loop(
    serve: Callable[[Any], str],
) -> None:
    life.clear()
    url = serve(mounted())
    assert life == []
    with httpx.Client(base_url=url) as client:
        assert client.get("/shop/orders/orders/7").json() == "7"
        assert client.get("/shop/orders/orders/8").json() == "8"
    assert life == ["open"]


def test_lifespan_of_a_mounted_service_is_closed_when_its_server_stops() -> None:
    life.clear()
    application = mounted()

    async def main() -> None:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            responses = await asyncio.gather(*(client.get("/shop/orders/orders/7") for _ in range(5)))
        assert {r.status_code for r in responses} == {200}
        assert life == ["open"], "concurrent first requests open it once"

    asyncio.run(main())
    assert life == ["open", "close"]


def test_a_served_service_opens_before_the_first_request(serve: Callable[[Any], str]) -> None:
    life.clear()
    serve(Orders.asgi())
    assert life == ["open"]


def test_a_lifespan_that_fails_stops_the_server_with_its_reason() -> None:
    @asynccontextmanager
    async def failing() -> AsyncIterator[None]:
        if life is not None:
            raise RuntimeError("no database")
        yield  # type: ignore[unreachable]  # makes it a generator

    class Broken(Service, lifespan=failing):
        pass

    sent: list[Any] = []

    async def run() -> None:
        async def receive() -> Any:
            return {"type": "lifespan.startup"}

        async def send(message: Any) -> None:
            sent.append(message)

        with pytest.raises(RuntimeError):
            await Broken.asgi()({"type": "lifespan"}, receive, send)

    asyncio.run(run())
    assert sent == [{"type": "lifespan.startup.failed", "message": "RuntimeError: no database"}]


def test_raw_routes_are_served_beside_commands_with_the_services_problems(ask: Ask) -> None:
    life[:] = ["open"]
    assert ask(WithRaw, "GET", "/raw/3").json() == {"number": 3}
    assert ask(WithRaw, "GET", "/orders/1").json() == "1"
    missing = ask(WithRaw, "GET", "/raw/0", headers={"x-request-id": "r1"})
    assert (missing.status_code, missing.json()["detail"], missing.json()["request_id"]) == (
        404,
        "no zero",
        "r1",
    )
    assert missing.headers["x-why"] == "zero"
    assert missing.headers["x-request-id"] == "r1"
    invalid = ask(WithRaw, "GET", "/raw/x")
    assert invalid.json()["type"] == "urn:problem-type:service-kit:invalid-input"
    assert invalid.headers["content-type"] == "application/problem+json"
    assert ask(WithRaw, "GET", "/nothing").json()["status"] == 404


def test_a_raw_route_that_fails_is_an_opaque_problem(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    response = ask(WithRaw, "GET", "/raw/-1", headers={"x-request-id": "r2"})
    assert (response.status_code, response.json()["request_id"]) == (500, "r2")
    assert "s3cret" not in response.text
    assert "r2" in caplog.text


def test_raw_routes_are_in_the_specification(ask: Ask) -> None:
    paths = ask(WithRaw, "GET", "/openapi.json").json()["paths"]
    assert {"/raw/{number}", "/orders/{order_id}"} <= paths.keys()


def test_the_services_security_holds_for_raw_routes(ask: Ask) -> None:
    assert ask(LockedRaw, "GET", "/raw/3").status_code == 401
    assert ask(LockedRaw, "GET", "/raw/3", headers={"x-api-key": "k"}).json() == {"number": 3}


def test_routes_that_are_no_routers_are_refused() -> None:
    class Wrong(Service, routes=["/raw"]):
        pass

    with pytest.raises(DefinitionError, match="routes holds '/raw'; list FastAPI routers"):
        Wrong.asgi()


class Shared(Service, cors=Cors(["https://app.example"], credentials=True), routes=[router]):
    get_order = get_order


def test_pages_of_allowed_origins_may_call(ask: Ask) -> None:
    life[:] = ["open"]
    for path in ("/orders/1", "/raw/1", "/nothing"):
        response = ask(Shared, "GET", path, headers={"origin": "https://app.example"})
        assert response.headers["access-control-allow-origin"] == "https://app.example"
        assert response.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in response.headers["vary"]
    preflight = ask(
        Shared, "OPTIONS", "/orders/1",
        headers={"origin": "https://app.example", "access-control-request-method": "GET"},
    )  # fmt: skip
    assert preflight.status_code == 204
    assert "GET" in preflight.headers["access-control-allow-methods"]
    assert "content-type" in preflight.headers["access-control-allow-headers"]


def test_pages_of_other_origins_may_not(ask: Ask) -> None:
    life[:] = ["open"]
    for headers in ({"origin": "https://evil.example"}, {}):
        response = ask(Shared, "GET", "/orders/1", headers=headers)
        assert "access-control-allow-origin" not in response.headers
        assert response.headers["vary"] == "Origin"
    preflight = ask(
        Shared, "OPTIONS", "/orders/1",
        headers={"origin": "https://evil.example", "access-control-request-method": "GET"},
    )  # fmt: skip
    assert "access-control-allow-methods" not in preflight.headers


def test_websockets_are_closed_not_crashed() -> None:
    sent: list[Any] = []

    async def run() -> None:
        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await WithRaw.asgi()({"type": "websocket", "path": "/x", "headers": []}, receive, send)

    asyncio.run(run())
    assert [m["type"] for m in sent] == ["websocket.close"]


def test_access_log_says_who_asked_what_and_how_it_went(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    life[:] = ["open"]
    with caplog.at_level(logging.INFO, "service_kit.access"):
        ask(WithRaw, "GET", "/orders/1?key=s3cret", headers={"x-request-id": "r3"})
        ask(WithRaw, "GET", "/raw/0")
    first, second = [r for r in caplog.records if r.name == "service_kit.access"]
    line = JsonFormatter().format(first)
    assert '"request_id": "r3"' in line
    assert '"path": "/orders/1"' in line
    assert '"status": 422' in line
    assert "s3cret" not in line
    assert second.getMessage() == "GET /raw/0 404"


def test_a_server_that_stops_finishes_what_is_in_flight(serve: Callable[[Any], str]) -> None:
    entered, release = threading.Event(), threading.Event()

    @command
    def slow() -> str:
        entered.set()
        release.wait(10)
        return "done"

    class Slow(Service):
        slow_ = slow

    answers: list[str] = []
    url = serve(Slow.asgi())
    caller = threading.Thread(
        target=lambda: answers.append(httpx.post(f"{url}/rpc/slow_", timeout=10).json())
    )
    caller.start()
    assert entered.wait(10)
    for thread in threading.enumerate():
        server = getattr(getattr(thread, "_target", None), "__self__", None)
        if server is not None and hasattr(server, "should_exit"):
            server.should_exit = True
    release.set()
    caller.join(10)
    assert answers == ["done"]


def test_a_task_that_a_raw_route_leaves_for_later_is_awaited(ask: Ask) -> None:
    noted: list[int] = []

    @task
    async def note(number: int) -> None:
        noted.append(number)

    application = FastAPI()

    @application.post("/notes/{number}")
    async def later(number: int, background: BackgroundTasks) -> None:
        background.add_task(note, number)

    assert ask(application, "POST", "/notes/3").status_code == 200
    assert noted == [3]
