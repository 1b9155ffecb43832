"""Headers of requests and responses: which ones a page may send, whose they are, and what a key covers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Annotated, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel

from service_kit import ApiKey, Cors, Header, Jwt, Next, Request, Response, Service, command
from tests.http.conftest import Ask

PAGE = "https://app.example"
shared = Response(200, [(b"content-type", b"application/json")], b'"shared"')


async def answered(request: Request, call_next: Next) -> Response:
    return shared


async def any_key(key: str) -> str | None:
    return key


@command(method="POST", path="/payments", use=[answered])
async def constant() -> str:
    return "never"


@command(method="POST", path="/transfers")
async def transfer(amount: int, account: Annotated[str, Header()]) -> str:
    return account


@command(security=[ApiKey(any_key, "X-Shop-Key")])
async def keyed() -> None: ...


class Shop(Service, cors=Cors([PAGE])):
    constant = constant
    transfer = transfer
    keyed = keyed


def test_a_page_may_send_what_the_service_asks_for(ask: Ask) -> None:
    headers = {"origin": PAGE, "access-control-request-method": "POST"}
    allowed = ask(Shop, "OPTIONS", "/rpc/keyed", headers=headers).headers["access-control-allow-headers"]
    assert {"x-shop-key", "request-timeout-ms", "account", "idempotency-key", "content-type"} <= set(
        allowed.split(", ")
    )


def test_a_response_that_middleware_gives_to_many_gathers_no_headers(ask: Ask) -> None:
    application = Shop.asgi()
    answers = [
        ask(application, "POST", "/payments", headers={"x-request-id": f"r-{n}", "origin": PAGE})
        for n in range(3)
    ]
    assert [answer.json() for answer in answers] == ["shared"] * 3
    assert [answer.headers.get_list("x-request-id") for answer in answers] == [["r-0"], ["r-1"], ["r-2"]]
    assert shared.raw_headers == [(b"content-type", b"application/json")]


def test_a_key_covers_the_headers_that_are_parameters(ask: Ask) -> None:
    application = Shop.asgi()

    def send(account: str, path: str = "/transfers", **more: str) -> Any:
        body = {"amount": 1} if path == "/transfers" else {"amount": 1, "account": "a"}
        headers = {"idempotency-key": path, "account": account, **more}
        return ask(application, "POST", path, json=body, headers=headers)

    assert send("a").json() == "a"
    assert send("a", trace="of no interest").headers["idempotent-replayed"] == "true"
    other = send("b")
    assert (other.status_code, other.json()["type"]) == (
        422,
        "urn:problem-type:service-kit:idempotency-mismatch",
    )
    # At its RPC route the same command takes no headers.
    assert send("a", "/rpc/transfer").json() == "a"
    assert send("b", "/rpc/transfer").headers["idempotent-replayed"] == "true"


class Claims(BaseModel):
    sub: str


@pytest.mark.parametrize("named", [False, True])
def test_of_several_keys_without_an_id_each_admits(
    ask: Ask, serve: Callable[[Any], str], named: bool
) -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]

    async def issuer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            published = [json.loads(jwt.algorithms.ECAlgorithm.to_jwk(k.public_key())) for k in keys]
            published = [{**k, "alg": "ES256", **({"kid": "k"} if named else {})} for k in published]
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": json.dumps({"keys": published}).encode()})

    scheme = Jwt(Claims, issuer="i", audience="a", jwks_url=f"{serve(issuer)}/keys", algorithms=["ES256"])

    @command(method="GET", path="/me", security=[scheme])
    async def me() -> str:
        return scheme.caller().sub

    class Keyed(Service):
        me_ = me

    application = Keyed.asgi()

    def status(key: ec.EllipticCurvePrivateKey, **headers: str) -> int:
        claims = {"sub": "u", "iss": "i", "aud": "a", "exp": time.time() + 60}
        signed = jwt.encode(claims, key, "ES256", headers=headers)
        return ask(application, "GET", "/me", headers={"authorization": f"Bearer {signed}"}).status_code

    assert [status(key) for key in keys] == [200, 200, 200]
    assert [status(key, kid="k") for key in keys] == [200, 200, 200]
    assert status(ec.generate_private_key(ec.SECP256R1())) == 401
