"""Options and URLs: what is refused before anything is sent, and how it says so."""

from __future__ import annotations

import math
from typing import Any

import pytest

from client_kit import ApiKeyAuth, BearerToken, CallOptions, ClientOptions, Connection, InvalidOption
from client_kit.url import command_url, parse_url
from tests.client_kit.shop import Shop


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://orders.example.com", "https://orders.example.com"),
        ("https://Orders.Example.com/", "https://orders.example.com"),
        ("HTTPS://h/orders/", "https://h/orders"),
        ("http://h:8080/a%20b/%2F", "http://h:8080/a%20b/%2F"),
        ("http://h/100%", "http://h/100%25"),
        ("http://h/naïve", "http://h/na%C3%AFve"),
        ("https://h:443/x", "https://h/x"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
    ],
)
def test_urls_are_normalised(url: str, normal: str) -> None:
    assert parse_url(url) == normal


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("orders.example.com", "write 'https://orders.example.com'"),
        ("localhost:8000", "write 'https://localhost:8000'"),
        ("ftp://h", "use http or https"),
        ("http://", "names no host"),
        ("http://h:port", "is not a URL"),
        ("http://h:99999", "is not a URL"),
        ("http://[::1", "is not a URL"),
        ("http://h/a b", "spaces or control characters"),
        ("http://h/\r\nx: y", "spaces or control characters"),
        ("http://h\t", "spaces or control characters"),
        ("http://h/?x=1", "a query or a fragment"),
        ("http://h/#top", "a query or a fragment"),
        ("http://" + "ü" * 70, "names a host that cannot be"),
        ("", "does not begin with http"),
    ],
)
def test_a_url_that_cannot_be_called_says_why(url: str, says: str) -> None:
    with pytest.raises(InvalidOption, match=r"^url ") as raised:
        Connection(Shop, url)
    assert says in str(raised.value)


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidOption, match="give them as auth=") as raised:
        parse_url("http://me:hunter2@h/")
    assert "hunter2" not in str(raised.value)


def test_names_of_commands_are_percent_encoded() -> None:
    assert command_url("http://h/x", "größe") == "http://h/x/rpc/gr%C3%B6%C3%9Fe"


@pytest.mark.parametrize("key", ["", "a b", "a\r\nx: y", "a\x00", "é", "k" * 256, "a\n"])
def test_an_idempotency_key_that_could_forge_a_header_is_refused(key: str) -> None:
    with pytest.raises(InvalidOption, match="idempotency_key"):
        CallOptions(idempotency_key=key)


@pytest.mark.parametrize("request_id", ["", "a b", "a\r\nb", "x" * 129, "a/b", "a\n"])
def test_a_request_id_that_services_would_not_take_is_refused(request_id: str) -> None:
    with pytest.raises(InvalidOption, match="request_id"):
        CallOptions(request_id=request_id)


@pytest.mark.parametrize("timeout_s", [0, -1, math.nan])
def test_a_timeout_that_leaves_no_time_is_refused(timeout_s: float) -> None:
    with pytest.raises(InvalidOption, match="timeout_s"):
        CallOptions(timeout_s=timeout_s)
    with pytest.raises(InvalidOption, match="timeout_s"):
        Connection(Shop, "http://h", timeout_s=timeout_s)


@pytest.mark.parametrize(
    "headers",
    [
        {"x y": "1"},
        {"x": "1\r\nevil: 1"},
        {"x": ""},
        {"x": "é"},
        {"Host": "h"},
        {"Idempotency-Key": "k"},
        {"": "1"},
    ],
)
def test_headers_that_would_break_the_request_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidOption, match="headers"):
        ClientOptions(headers=headers)


@pytest.mark.parametrize("secret", ["hunter2\n", "hunter2\r\nx: y", ""])
def test_credentials_that_do_not_fit_into_a_header_are_refused_and_not_shown(secret: str) -> None:
    for make in (BearerToken, ApiKeyAuth):
        scheme: Any = make
        with pytest.raises(InvalidOption) as raised:
            scheme(secret)
        assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("key", ["a;b", 'a"b', "a b", "a,b"])
def test_a_key_that_would_break_a_cookie_is_refused(key: str) -> None:
    with pytest.raises(InvalidOption, match="cookie"):
        ApiKeyAuth(key, location="cookie")


def test_later_options_leave_what_they_do_not_name() -> None:
    merged = CallOptions(timeout_s=3, idempotency_key="k").merged(CallOptions(timeout_s=5))
    assert merged == CallOptions(timeout_s=5, idempotency_key="k")
