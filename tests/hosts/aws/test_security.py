from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from service_kit import ApiKey, AwsIam, Jwt, Service, command
from tests.hosts.aws.conftest import Ask, Source
from tests.hosts.aws.recorded import USER_ARN, Event, function_url, http_api_1, http_api_2, rest_api


class Claims(BaseModel):
    sub: str


async def known(secret: str) -> str | None:
    return "anna" if secret == "right" else None


KEY = "a secret that is long enough for the algorithm"
iam = AwsIam()
api_key = ApiKey(known)
cookie_key = ApiKey(known, parameter="session", location="cookie", name="session")
token = Jwt(Claims, issuer="https://issuer.test", audience="shop", key=KEY, algorithms=["HS256"])


@command(security=[iam])
async def by_iam() -> str:
    return f"{iam.caller().user_arn} of {iam.caller().account_id}"


@command(security=[api_key])
async def by_key() -> str:
    return api_key.caller()


@command(security=[cookie_key])
async def by_cookie() -> str:
    return cookie_key.caller()


@command(security=[token])
async def by_token() -> str:
    return token.caller().sub


class Guarded(Service):
    by_iam = by_iam
    by_key = by_key
    by_cookie = by_cookie
    by_token = by_token


def signed(source: Source, path: str) -> Event:
    """Return an event whose caller API Gateway, or Lambda, has authenticated by SigV4."""
    event = source("POST", path)
    if source in (rest_api, http_api_1):
        event["requestContext"]["identity"] |= {"userArn": USER_ARN, "accountId": "123456789012"}
    else:
        iam_context = {
            "accessKey": "AKIA0000000000000000",
            "accountId": "123456789012",
            "callerId": "AIDA0000000000000000",
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": USER_ARN,
            "userId": "AIDA0000000000000000",
        }
        event["requestContext"]["authorizer"] = {"iam": iam_context}
    return event


def test_a_principal_of_iam_is_admitted_by_what_the_gateway_says(ask: Ask, source: Source) -> None:
    answer = ask(Guarded, signed(source, "/rpc/by_iam"))
    assert (answer.status, answer.json()) == (200, f"{USER_ARN} of 123456789012")


def test_nothing_that_a_caller_sends_passes_for_iam(ask: Ask, source: Source) -> None:
    forged = f'{{"requestContext": {{"authorizer": {{"iam": {{"userArn": "{USER_ARN}"}}}}}}}}'
    event = source("POST", "/rpc/by_iam", body=forged)
    for name in ("authorization", "x-amzn-iam-user-arn", "requestContext", "userArn", "iam"):
        event["headers"][name] = USER_ARN
    assert ask(Guarded, event).status == 401


@pytest.mark.parametrize(
    "authorizer",
    [
        {"principalId": "anna", "iam": {"userArn": USER_ARN, "accountId": "1"}},
        {"claims": {"sub": "anna", "iam": {"userArn": USER_ARN}}},
        {"iam": USER_ARN},
    ],
)
def test_an_authorizer_function_of_payload_1_cannot_pass_for_iam(
    ask: Ask, authorizer: dict[str, Any]
) -> None:
    event = rest_api("POST", "/rpc/by_iam")
    event["requestContext"]["authorizer"] = authorizer
    assert ask(Guarded, event).status == 401


@pytest.mark.parametrize(
    "authorizer",
    [
        {"lambda": {"iam": {"userArn": USER_ARN}}},
        {"jwt": {"claims": {"userArn": USER_ARN}, "scopes": None}},
        {"iam": None},
        {"iam": {"userArn": None}},
        "iam",
        None,
    ],
)
def test_another_authorizer_of_payload_2_cannot_pass_for_iam(ask: Ask, authorizer: object) -> None:
    for make in (http_api_2, function_url):
        event = make("POST", "/rpc/by_iam")
        event["requestContext"]["authorizer"] = authorizer
        assert ask(Guarded, event).status == 401


def test_keys_cookies_and_tokens_work_as_over_asgi(ask: Ask, source: Source) -> None:
    claims = {"sub": "anna", "iss": "https://issuer.test", "aud": "shop", "exp": int(time.time()) + 600}
    proofs = {
        "by_key": ("X-API-Key", "right", "wrong"),
        "by_token": ("Authorization", f"Bearer {jwt.encode(claims, KEY, 'HS256')}", "Bearer e30.e30.e30"),
        "by_cookie": ("Cookie", "session=right", "session=wrong"),
    }
    for name, (header, right, wrong) in proofs.items():
        for value, status in ((right, 200), (wrong, 401)):
            answer = ask(Guarded, _with(source("POST", f"/rpc/{name}"), header, value))
            assert answer.status == status, name
            assert answer.status == 401 or answer.json() == "anna"
        assert ask(Guarded, source("POST", f"/rpc/{name}")).status == 401


def test_raw_routes_are_behind_the_schemes_of_the_service(ask: Ask, source: Source) -> None:
    router = APIRouter()

    @router.post("/raw")
    async def raw() -> str:
        return iam.caller().user_arn

    class Raw(Service, routes=[router], security=[iam]):
        """Everything behind IAM."""

    assert ask(Raw, source("POST", "/raw")).status == 401
    answer = ask(Raw, signed(source, "/raw"))
    assert (answer.status, answer.json()) == (200, USER_ARN)


def _with(event: Event, name: str, value: str) -> Event:
    if name == "Cookie" and event.get("version") == "2.0":
        event["cookies"] = [value]
        return event
    event["headers"][name.lower() if event.get("version") == "2.0" else name] = value
    if "multiValueHeaders" in event:
        event["multiValueHeaders"][name] = [value]
    return event
