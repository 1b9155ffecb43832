"""Middleware: per service, per command, and as ASGI classes."""

from __future__ import annotations

from contextvars import ContextVar

from starlette.middleware.gzip import GZipMiddleware

from service_kit import (
    ApiKey,
    AsgiMiddleware,
    Next,
    Refusal,
    Request,
    Response,
    Service,
    ServiceError,
    command,
    current_request,
)
from tests.http.conftest import Ask

tenant: ContextVar[str] = ContextVar("tenant")
seen: list[str] = []


async def outer(request: Request, call_next: Next) -> Response:
    seen.append(f"outer {request.method} {request.path}")
    response = await call_next(request)
    seen.append(f"outer {response.status}")
    response.set_header("X-Outer", "yes")
    return response


async def with_tenant(request: Request, call_next: Next) -> Response:
    name = request.headers.get("X-Tenant")
    if name is None:
        raise Refusal(400, "send X-Tenant")
    tenant.set(name)
    return await call_next(request)


async def short_circuit(request: Request, call_next: Next) -> Response:
    if request.header(b"x-cached"):
        return Response(200, [(b"content-type", b"application/json")], b'"cached"')
    return await call_next(request)


class Nope(ServiceError, status=409):
    pass


@command(method="GET", use=[with_tenant])
async def whoami() -> str:
    return f"{tenant.get()} {current_request().path}"


@command(use=[with_tenant])
def in_thread() -> str:
    return tenant.get()


@command(errors=[Nope], use=[short_circuit])
async def fail() -> str:
    raise Nope


async def verify(key: str) -> str | None:
    return key if key == "k" else None


@command(security=[ApiKey(verify)])
async def locked() -> None: ...


class Served(Service, use=[outer]):
    whoami = whoami
    in_thread = in_thread
    fail = fail
    locked = locked


class Zipped(Service, use=[AsgiMiddleware(GZipMiddleware, minimum_size=1)]):
    whoami = whoami


def test_command_middleware_sets_what_the_function_reads_in_the_loop_and_in_a_thread(ask: Ask) -> None:
    assert ask(Served, "GET", "/whoami", headers={"x-tenant": "acme"}).json() == "acme /whoami"
    assert ask(Served, "POST", "/rpc/in_thread", headers={"x-tenant": "acme"}).json() == "acme"


def test_middleware_can_refuse(ask: Ask) -> None:
    response = ask(Served, "GET", "/whoami")
    assert (response.status_code, response.json()["detail"]) == (400, "send X-Tenant")


def test_middleware_can_answer_by_itself(ask: Ask) -> None:
    assert ask(Served, "POST", "/rpc/fail", headers={"x-cached": "1"}).json() == "cached"


def test_middleware_sees_the_answers_that_errors_become_and_edits_them(ask: Ask) -> None:
    seen.clear()
    response = ask(Served, "POST", "/rpc/fail")
    assert response.json()["type"] == "urn:problem-type:served:Nope"
    assert response.headers["x-outer"] == "yes"
    assert seen == ["outer POST /rpc/fail", "outer 409"]


def test_service_middleware_sees_refused_callers_too(ask: Ask) -> None:
    seen.clear()
    assert ask(Served, "POST", "/rpc/locked").status_code == 401
    assert seen == ["outer POST /rpc/locked", "outer 401"]


def test_asgi_middleware_wraps_the_whole_application(ask: Ask) -> None:
    response = ask(Zipped, "GET", "/openapi.json", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.json()["info"]["title"] == "Zipped"


def test_service_middleware_sees_and_marks_what_other_middleware_refused(ask: Ask) -> None:
    seen.clear()
    response = ask(Served, "GET", "/whoami")
    assert (response.status_code, response.headers["x-outer"]) == (400, "yes")
    assert seen[-1] == "outer 400"
