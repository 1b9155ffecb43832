"""Middleware and security schemes: the caller has the type that the verifier gives."""

# pyright: strict
from __future__ import annotations

from typing import reveal_type

from pydantic import BaseModel

from service_kit import ApiKey, Bearer, Jwt, Next, Request, Response, Service, command, current_request


class User(BaseModel):
    name: str


class Claims(BaseModel):
    sub: str


async def find_user(key: str) -> User | None:
    return User(name=key) if key else None


async def find_token(token: str) -> User | None:
    return User(name=token)


async def log(request: Request, call_next: Next) -> Response:
    response = await call_next(request)
    reveal_type(response.status)  # reveal: int
    return response


def sync_log(request: Request, call_next: Next) -> Response:
    return Response(status=204)


key = ApiKey(find_user, parameter="X-Key")
token = Bearer(find_token)
jwt = Jwt(claims=Claims, issuer="https://id.example.com", audience="orders", key="-")


@command(security=[key, token], use=[log])
async def whoami() -> str:
    reveal_type(key.caller())  # reveal: User
    reveal_type(token.caller())  # reveal: User
    reveal_type(jwt.caller())  # reveal: Claims
    reveal_type(current_request().headers["x"])  # reveal: str
    key.caller().email  # error: no attribute: email
    return jwt.caller().sub


class Guarded(Service, security=[jwt], use=[log]):
    whoami = whoami


class Unawaited(Service, use=[sync_log]):  # error: wrong type
    pass


class Unprotected(Service, security=["key"]):  # error: wrong type: str
    pass


Jwt(claims=dict, issuer="", audience="", key="")  # error: breaks the bound: dict
ApiKey(find_user, location="body")  # error: wrong type
