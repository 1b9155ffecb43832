from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable

import pytest

from service_kit import Cors, Request, Response, Service, command
from service_kit.contract.exchange import Next
from service_kit.hosts.aws import LambdaHandler
from tests.hosts.aws.conftest import Ask, Context, Source
from tests.hosts.aws.recorded import Event, function_url, http_api_1, http_api_2, rest_api
from tests.hosts.aws.shop import Shop

PNG = b"\x89PNG\r\n\x1a\n\xff"


@command(method="GET")
async def feed(size: int) -> str:
    return "ä" * size


@command
async def flow(most: int) -> AsyncIterator[str]:
    for _ in range(most):
        yield "x" * 1024 * 1024


@command(method="GET")
async def nothing() -> None:
    return


async def dress(request: Request, call_next: Next) -> Response:
    """Give answers the type that a caller asks for."""
    response = await call_next(request)
    if request.path == "/rpc/nothing":
        response = Response(200, [(b"content-type", request.raw_headers[-1][1])], PNG)
        if request.header(b"x-zipped"):
            response.raw_headers = [(b"content-type", b"text/plain"), (b"content-encoding", b"gzip")]
            response.body = b"zipped"
    return response


class Feeds(Service, use=[dress], cors=Cors(origins=["https://app.example.com"])):
    feed = feed
    flow = flow
    nothing = nothing


def test_headers_and_cookies_have_the_form_of_payload_2(ask: Ask) -> None:
    event = http_api_2("GET", "/caller")
    event["headers"]["x-cookies"] = "1"
    answer = ask(Shop, event)
    assert answer.raw["cookies"] == ["a=1; Path=/", "b=2"]
    assert "set-cookie" not in answer.raw["headers"]
    assert "multiValueHeaders" not in answer.raw


def test_headers_and_cookies_have_the_form_of_payload_1(ask: Ask) -> None:
    for make in (rest_api, http_api_1):
        event = make("GET", "/caller")
        event["multiValueHeaders"]["x-cookies"] = ["1"]
        answer = ask(Shop, event)
        assert answer.raw["multiValueHeaders"]["set-cookie"] == ["a=1; Path=/", "b=2"]
        assert "cookies" not in answer.raw


def test_text_is_sent_as_it_is(ask: Ask, source: Source) -> None:
    for path in ("/orders/ä", "/openapi.json", "/openapi.yaml", "/logo.svg", "/legal", "/nowhere"):
        answer = ask(Shop, source("GET", path.replace("ä", "%C3%A4") if source is function_url else path))
        assert answer.raw["isBase64Encoded"] is False, path
        assert answer.body


def test_what_is_no_text_is_sent_as_base64(ask: Ask, source: Source) -> None:
    for media_type in ("image/png", "text/plain"):
        event = source("POST", "/rpc/nothing")
        _add(event, "x-type", media_type)
        answer = ask(Feeds, event)
        assert (answer.raw["isBase64Encoded"], answer.body) == (True, PNG)


def test_what_is_encoded_is_sent_as_base64(ask: Ask, source: Source) -> None:
    event = source("POST", "/rpc/nothing")
    _add(event, "x-zipped", "1")
    assert (ask(Feeds, event).raw["isBase64Encoded"], ask(Feeds, event).body) == (True, b"zipped")


def test_an_answer_without_a_body_has_none(ask: Ask, source: Source) -> None:
    answer = ask(Feeds, source("GET", "/nothing"))
    assert (answer.status, answer.raw["body"], answer.raw["isBase64Encoded"]) == (204, "", False)


def test_a_stream_is_collected(ask: Ask, source: Source) -> None:
    answer = ask(Shop, source("POST", "/rpc/count_to", body='{"most": 2}'))
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    assert answer.body == b"data: 0\n\ndata: 1\n\nevent: end\ndata: {}\n\n"


def test_an_answer_larger_than_lambda_carries_is_a_problem_whose_cause_is_logged(
    ask: Ask, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    whole = source("GET", "/feed", query="size=4000000")
    endless = source("POST", "/rpc/flow", body='{"most": 1000000}')
    for event in (whole, endless):
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            answer = ask(Feeds, event)
        assert (answer.status, answer.json()["type"]) == (500, "urn:problem-type:service-kit:internal")
        assert "page it" in caplog.text


def test_a_large_answer_that_fits_is_sent(ask: Ask) -> None:
    assert len(ask(Feeds, http_api_2("GET", "/feed", query="size=3000000")).json()) == 3_000_000


def test_the_request_id_is_lambdas_unless_the_caller_gave_one(ask: Ask, source: Source) -> None:
    assert ask(Shop, source("GET", "/caller")).headers["x-request-id"] == Context().aws_request_id
    for given, expected in (("mine-1", "mine-1"), ("not fit!", Context().aws_request_id)):
        event = source("GET", "/nowhere")
        _add(event, "x-request-id", given)
        answer = ask(Shop, event)
        assert answer.headers["x-request-id"] == answer.json()["request_id"] == expected


def test_a_preflight_is_answered(ask: Ask, source: Source) -> None:
    event = source("OPTIONS", "/feed")
    _add(event, "origin", "https://app.example.com")
    _add(event, "access-control-request-method", "GET")
    answer = ask(Feeds, event)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "https://app.example.com")


def test_each_request_is_in_the_access_log(
    ask: Ask, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "service_kit.access"):
        ask(Shop, source("GET", "/orders/o-1"))
    (record,) = [r for r in caplog.records if r.name == "service_kit.access"]
    fields = record.__dict__["http"]
    assert (fields["request_id"], fields["status"]) == (Context().aws_request_id, 200)
    assert fields["path"].endswith("/orders/o-1")


def _add(event: Event, name: str, value: str) -> None:
    event["headers"][name] = value
    if "multiValueHeaders" in event:
        event["multiValueHeaders"][name] = [value]


def test_an_answer_is_given_again_for_its_idempotency_key(
    ask: Ask, handler_of: Callable[..., LambdaHandler], source: Source
) -> None:
    handler = handler_of(Shop)
    answers = []
    for body in ('{"sku": "a"}', '{"sku": "a"}', '{"sku": "b"}'):
        event = source("POST", "/orders", body=body)
        _add(event, "idempotency-key", "key-1")
        answers.append(ask(handler, event))
    assert [answer.status for answer in answers] == [200, 200, 422]
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", None]
    assert answers[0].body == answers[1].body
