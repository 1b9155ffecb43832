"""AWS signatures, against the numbers that AWS publishes."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime

import pytest

from client_kit import Auth, AwsSigV4, InProcessTransport, Request, connect
from client_kit.deadline import Deadline
from client_kit.drivers import drive_sync
from client_kit.transports.portal import Portal
from tests.client_kit.shop import URL, ScriptedApp, Shop


def _call(app: ScriptedApp, auth: Auth) -> None:
    with connect(Shop, URL, transport=InProcessTransport(app), auth=auth) as shop:
        shop.place.sync("sku-1")


def _sent(app: ScriptedApp, header: str = "authorization") -> list[str | None]:
    return [asked.headers.get(header) for asked in app.asked]


def _authorized(auth: Auth, request: Request) -> Request:
    deadline = Deadline(1e9, lambda: 0.0)
    return drive_sync(auth.authorize(request), InProcessTransport(ScriptedApp()), deadline, Portal())


# "Signature Version 4 test suite" of AWS (aws-sig-v4-test-suite.zip, cases get-vanilla, post-vanilla and
# post-x-www-form-urlencoded), with its keys, region `us-east-1`, service `service` and time 20150830T123600Z.
_ACCESS_KEY, _SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
_VECTORS = [
    ("GET", {}, b"", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ("POST", {}, b"", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    (
        "POST",
        {"content-type": "application/x-www-form-urlencoded"},
        b"Param1=value1",
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
]


@pytest.fixture
def at_the_time_of_the_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    auth = importlib.import_module("botocore.auth")
    monkeypatch.setattr(auth, "get_current_datetime", lambda: moment.replace(tzinfo=None))


@pytest.mark.usefixtures("at_the_time_of_the_vectors")
@pytest.mark.parametrize(("method", "headers", "body", "signed", "signature"), _VECTORS)
def test_signatures_are_the_ones_that_aws_publishes(
    method: str, headers: dict[str, str], body: bytes, signed: str, signature: str
) -> None:
    credentials = importlib.import_module("botocore.credentials").Credentials(_ACCESS_KEY, _SECRET_KEY)
    auth = AwsSigV4("us-east-1", service="service", credentials=credentials)
    request = Request("https://example.amazonaws.com/", headers, body, method=method)
    sent = _authorized(auth, request).headers
    assert sent["x-amz-date"] == "20150830T123600Z"
    assert sent["authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={_ACCESS_KEY}/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={signed}, Signature={signature}"
    )


def test_a_session_token_travels_with_the_signature() -> None:
    credentials = importlib.import_module("botocore.credentials").Credentials("a", "b", "session-1")
    app = ScriptedApp()
    _call(app, AwsSigV4("eu-west-1", credentials=credentials))
    assert _sent(app, "x-amz-security-token") == ["session-1"]
    assert "x-amz-security-token" in str(_sent(app)[0])
    assert "/eu-west-1/execute-api/aws4_request" in str(_sent(app)[0])


def test_credentials_are_found_as_botocore_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    app = ScriptedApp()
    _call(app, AwsSigV4("eu-west-1"))
    assert "Credential=AKIDENV/" in str(_sent(app)[0])
