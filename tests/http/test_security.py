"""Who is admitted, what the others are told, and what commands know of the caller."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel

from service_kit import ApiKey, AwsIam, Bearer, Jwt, Service, command
from tests.http.conftest import Ask


class User(BaseModel):
    name: str


async def by_token(token: str) -> User | None:
    return User(name="ann") if hmac.compare_digest(token, "t0ken") else None


async def by_key(key: str) -> int | None:
    return 7 if hmac.compare_digest(key.encode(), b"k3y") else None


class Claims(BaseModel):
    sub: str
    role: str


SECRET = "a secret of thirty-two characters."
bearer = Bearer(by_token)
header_key = ApiKey(by_key)
query_key = ApiKey(by_key, parameter="key", location="query", name="queryKey")
cookie_key = ApiKey(by_key, parameter="session", location="cookie", name="cookieKey")
signed = Jwt(Claims, issuer="https://issuer.test", audience="orders", key=SECRET, algorithms=["HS256"])


@command(method="GET", security=[bearer, header_key])
async def who() -> str:
    try:
        return bearer.caller().name
    except LookupError:
        return f"key {header_key.caller()}"


@command(method="GET", security=[query_key])
async def by_query(text: str = "") -> int:
    return query_key.caller()


@command(method="GET", security=[cookie_key])
async def by_cookie() -> int:
    return cookie_key.caller()


@command(method="GET", security=[signed])
async def role() -> str:
    return signed.caller().role


@command(method="GET", security=[])
async def public() -> str:
    return "public"


@command(method="GET")
async def by_iam() -> None: ...


class Guarded(Service, security=[AwsIam()]):
    who = who
    by_query = by_query
    by_cookie = by_cookie
    role = role
    public = public
    by_iam = by_iam


def test_either_of_two_schemes_admits_with_its_own_caller(ask: Ask) -> None:
    assert ask(Guarded, "GET", "/who", headers={"authorization": "Bearer t0ken"}).json() == "ann"
    assert ask(Guarded, "GET", "/who", headers={"authorization": "bearer  t0ken"}).json() == "ann"
    assert ask(Guarded, "GET", "/who", headers={"x-api-key": "k3y"}).json() == "key 7"


@pytest.mark.parametrize("headers", [
    {}, {"authorization": "Bearer wrong"}, {"authorization": "Basic t0ken"}, {"authorization": "Bearer"},
    {"x-api-key": "wrong"}, {"x-api-key": ""},
])  # fmt: skip
def test_anybody_else_is_told_how_to_prove_himself(ask: Ask, headers: dict[str, str]) -> None:
    response = ask(Guarded, "GET", "/who", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["detail"] == (
        "the caller is not known; send 'Authorization: Bearer <token>' or the key as header 'X-API-Key'"
    )


def test_key_in_query_or_cookie(ask: Ask) -> None:
    assert ask(Guarded, "GET", "/by_query?key=k3y&text=a").json() == 7
    assert ask(Guarded, "GET", "/by_query?key=other").status_code == 401
    assert ask(Guarded, "GET", "/by_cookie", headers={"cookie": "a=b; session=k3y"}).json() == 7
    assert ask(Guarded, "GET", "/by_cookie", headers={"cookie": "session"}).status_code == 401


@pytest.mark.parametrize("others", ['prefs={"theme": "dark"}', "a b=c", "[x]", "=", 'x="'])
def test_a_cookie_is_found_whatever_others_are_beside_it(ask: Ask, others: str) -> None:
    for cookies in (f"{others}; session=k3y", f'session="k3y"; {others}'):
        assert ask(Guarded, "GET", "/by_cookie", headers={"cookie": cookies}).json() == 7
    assert ask(Guarded, "GET", "/by_cookie", headers={"cookie": f"{others}; xsession=k3y"}).status_code == 401


def test_the_services_schemes_hold_where_a_command_says_nothing_else(ask: Ask) -> None:
    assert ask(Guarded, "GET", "/public").json() == "public"
    headers = {"x-amzn-iam-user-arn": "arn:aws:iam::1:user/ann"}
    assert ask(Guarded, "GET", "/by_iam", headers=headers).status_code == 401, (
        "headers never speak for the gateway"
    )


def test_a_caller_is_forgotten_with_his_request_even_where_the_next_one_shares_its_context() -> None:
    seen: list[str] = []

    @command(method="GET", security=[])
    async def whoever() -> None:
        try:
            seen.append(bearer.caller().name)
        except LookupError:
            seen.append("nobody")

    class Mixed(Service):
        who_ = who
        whoever_ = whoever

    async def one_after_the_other() -> None:
        transport = httpx.ASGITransport(Mixed.asgi())  # runs requests in the context of its caller
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            known = await client.get("/who_", headers={"authorization": "Bearer t0ken"})
            assert known.json() == "ann"
            await client.get("/whoever_")

    asyncio.run(one_after_the_other())
    assert seen == ["nobody"]


def test_documents_are_open(ask: Ask) -> None:
    for path in ("/openapi.json", "/.well-known/ai-plugin.json", "/healthz"):
        assert ask(Guarded, "GET", path).status_code == 200


def token(**changes: Any) -> str:
    claims = {
        "sub": "u1", "role": "admin", "iss": "https://issuer.test", "aud": "orders", "exp": time.time() + 60, **changes
    }  # fmt: skip
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, SECRET, "HS256")


def test_jwt_gives_its_claims_as_a_model(ask: Ask) -> None:
    assert ask(Guarded, "GET", "/role", headers={"authorization": f"Bearer {token()}"}).json() == "admin"


@pytest.mark.parametrize("bad", [
    lambda: token(iss="https://other.test"),
    lambda: token(aud="others"),
    lambda: token(exp=time.time() - 3600),
    lambda: token(exp=None),
    lambda: token(role=None),
    lambda: token()[:-4] + "AAAA",
    lambda: jwt.encode({"sub": "u1"}, "another secret of thirty-two chars", "HS256"),
    lambda: token().split(".")[1],
    lambda: "eyJhbGciOiJub25lIn0." + token().split(".")[1] + ".",
    lambda: "\u00e9",
])  # fmt: skip
def test_jwt_that_proves_nothing_is_a_401(ask: Ask, bad: Callable[[], str]) -> None:
    headers = {"authorization": f"Bearer {bad()}".encode("latin-1")}
    assert ask(Guarded, "GET", "/role", headers=headers).status_code == 401


def test_jwt_keys_are_fetched_kept_and_fetched_again_for_a_new_key(
    ask: Ask, serve: Callable[[Any], str]
) -> None:
    old, new = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    published = [(old, "old")]
    asked: list[str] = []

    async def issuer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        asked.append(scope["path"])
        keys = [
            {
                **json.loads(jwt.algorithms.ECAlgorithm.to_jwk(k.public_key())),
                "kid": kid,
                "alg": "ES256",
                "use": "sig",
            }
            for k, kid in published
        ]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({"keys": keys}).encode()})

    url = serve(issuer)
    scheme = Jwt(Claims, issuer="i", audience="a", jwks_url=f"{url}/keys", algorithms=["ES256"])

    @command(method="GET", security=[scheme])
    async def role() -> str:
        return scheme.caller().role

    class Keyed(Service):
        role_ = role

    application = Keyed.asgi()

    def status(key: ec.EllipticCurvePrivateKey, kid: str) -> int:
        claims = {"sub": "u", "role": "r", "iss": "i", "aud": "a", "exp": time.time() + 60}
        signed = jwt.encode(claims, key, "ES256", headers={"kid": kid})
        return ask(application, "GET", "/role_", headers={"authorization": f"Bearer {signed}"}).status_code

    assert [status(old, "old"), status(old, "old")] == [200, 200]
    assert asked == ["/keys"]
    published.append((new, "new"))
    assert status(new, "new") == 401, "an unknown key is not looked for at every request"
    assert asked == ["/keys"]


def test_an_issuer_that_sends_no_keys_is_asked_once_and_not_for_every_token(
    ask: Ask, serve: Callable[[Any], str]
) -> None:
    asked: list[str] = []

    async def issuer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            asked.append(scope["path"])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"[]"})

    scheme = Jwt(Claims, issuer="i", audience="a", jwks_url=f"{serve(issuer)}/keys", algorithms=["ES256"])

    @command(method="GET", security=[scheme])
    async def role() -> str:
        return scheme.caller().role

    class Keyed(Service):
        role_ = role

    application = Keyed.asgi()
    headers = {"authorization": "Bearer " + jwt.encode({"sub": "u"}, SECRET, headers={"kid": "k"})}

    async def many() -> list[httpx.Response]:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://t", headers=headers) as client:
            return await asyncio.gather(*(client.get("/role_") for _ in range(5)))

    answers = asyncio.run(many())
    assert {(r.status_code, r.headers.get("retry-after")) for r in answers} == {(503, "10")}
    assert asked == ["/keys"]
