"""What `service-kit call` sends beside the arguments: credentials and headers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Serve, Workshop, called


@pytest.mark.parametrize("command", ["by_header", "by_query", "by_cookie"])
def test_the_api_key_goes_where_the_service_wants_it(guarded: Workshop, command: str) -> None:
    assert called(guarded, "guarded", command, "--api-key", "open-sesame") == "somebody"


def test_the_api_key_of_a_running_service_goes_where_its_specification_says(
    guarded: Workshop, guarded_url: str
) -> None:
    assert called(guarded, "--url", guarded_url, "by_header", "--api-key", "open-sesame") == "somebody"


@pytest.mark.parametrize(
    "document",
    [
        "nothing",
        "[]",
        '{"paths": []}',
        '{"paths": {"/a": 1}, "components": {"securitySchemes": {"a": true}}}',
    ],
)
def test_a_specification_that_is_none_does_no_harm(workshop: Workshop, serve: Serve, document: str) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})
            return
        body = (
            document if scope["method"] == "GET" else dict(scope["headers"])[b"x-api-key"].decode().join('""')
        )
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})

    assert called(workshop, "--url", serve(application), "any", "a=1", "--api-key", "secret") == "secret"


def test_credentials_are_taken_from_the_environment(
    guarded: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_KIT_BEARER", "open-sesame")
    assert called(guarded, "guarded", "by_bearer") == "somebody"
    monkeypatch.setenv("SERVICE_KIT_API_KEY", "open-sesame")
    assert called(guarded, "guarded", "by_header") == "somebody"


def test_empty_variables_are_none(guarded: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_KIT_BEARER", "")
    monkeypatch.setenv("SERVICE_KIT_API_KEY", "")
    assert called(guarded, "guarded", "echo", "text=x") == ["x"]


def test_without_credentials_the_options_are_told(guarded: Workshop) -> None:
    result = guarded.run("call", "guarded", "by_bearer")
    assert result.exit_code == 1
    assert "error: 401 Unauthorized" in result.stderr
    assert "give credentials as --bearer, --api-key or --header" in result.stderr


def test_headers_are_sent(guarded: Workshop) -> None:
    sent = called(
        guarded, "guarded", "headers", "-H", "X-One: 1", "--header", "x-two:2", "--idempotency-key", "k-1"
    )
    assert (sent["x-one"], sent["x-two"], sent["idempotency-key"]) == ("1", "2", "k-1")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--header", "X-One"], "header 'X-One' has no value"),
        (["--header", "x: a\nb: c"], "does not fit into a header"),
        (["--bearer", "a\nb"], "does not fit into a header"),
        (["--url", "orders.example.com"], "does not begin with http"),
        (["--idempotency-key", "a b"], "does not fit into a header"),
    ],
)
def test_what_cannot_be_sent_is_refused(guarded: Workshop, options: list[str], problem: str) -> None:
    result = guarded.run("call", "guarded", "headers", *options)
    assert result.exit_code == 2
    assert problem in result.stderr
