from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from service_kit.hosts.aws import LambdaHandler
from tests.hosts.aws.conftest import Ask, Source
from tests.hosts.aws.recorded import (
    API_HOST,
    CUSTOM_HOST,
    URL_HOST,
    function_url,
    http_api_1,
    http_api_2,
    rest_api,
)
from tests.hosts.aws.shop import Shop

ORDER = '{"sku": "s-1", "quantity": 2}'


def test_a_command_is_answered_whatever_the_source_of_its_event(ask: Ask, source: Source) -> None:
    for path in ("/orders", "/rpc/place_order"):
        answer = ask(Shop, source("POST", path, body=ORDER))
        assert (answer.status, answer.json()) == (200, {"sku": "s-1", "quantity": 2})
        assert answer.headers["content-type"] == "application/json"


def test_failures_are_problems_whatever_the_source_of_the_event(ask: Ask, source: Source) -> None:
    statuses = {
        '{"sku": 1}': 422,
        '{"sku": ': 400,
        '{"sku": "none"}': 409,
        None: 422,
        "": 422,
        '{"sku": "\ud800"}': 400,
    }
    for body, status in statuses.items():
        answer = ask(Shop, source("POST", "/orders", body=body))
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["status"] == status
    assert ask(Shop, source("GET", "/nowhere")).status == 404
    wrong = ask(Shop, source("PATCH", "/orders"))
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST, OPTIONS")


def test_a_base64_body_is_decoded_with_and_without_a_content_type(ask: Ask, source: Source) -> None:
    body = base64.b64encode('{"sku": "Ü"}'.encode()).decode()
    event = source("POST", "/orders", body=body, isBase64Encoded=True)
    assert ask(Shop, event).json()["sku"] == "Ü"
    for headers in (event["headers"], event.get("multiValueHeaders", {})):
        for name in ("content-type", "Content-Type"):
            headers.pop(name, None)
    assert ask(Shop, event).json()["sku"] == "Ü"


def test_a_body_that_is_no_base64_is_malformed(ask: Ask, source: Source) -> None:
    answer = ask(Shop, source("POST", "/orders", body="e", isBase64Encoded=True))
    assert (answer.status, answer.json()["type"]) == (400, "urn:problem-type:service-kit:malformed-request")


def test_a_body_that_is_no_text_is_malformed(ask: Ask, source: Source) -> None:
    assert ask(Shop, source("POST", "/orders", body={"sku": "s-1"})).status == 400


def test_a_body_beyond_the_limit_is_refused(ask: Ask, source: Source) -> None:
    answer = ask(Shop, source("POST", "/orders", body=" " * (4 * 1024 * 1024 + 1)))
    assert (answer.status, answer.json()["type"]) == (413, "urn:problem-type:service-kit:too-large")


def test_head_is_answered_as_get_without_a_body(ask: Ask, source: Source) -> None:
    answer = ask(Shop, source("HEAD", "/orders/o-1"))
    assert (answer.status, answer.body) == (200, b"")


def test_repeated_query_parameters_arrive_in_order(ask: Ask) -> None:
    events = [
        rest_api("GET", "/orders/o-1", query="tag=a%20b&tag=c%26d&tag=%C3%A4"),
        http_api_1("GET", "/orders/o-1", query="tag=a%20b&tag=c%26d&tag=%C3%A4"),
        http_api_2("GET", "/orders/o-1", query="tag=a%20b&tag=c%26d&tag=%C3%A4"),
        http_api_2("GET", "/orders/o-1", query="tag=a+b&tag=c%26d&tag=ä"),
        function_url("GET", "/orders/o-1", query="tag=a%20b&tag=c%26d&tag=%C3%A4"),
    ]
    for event in events:
        assert ask(Shop, event).json() == {"id": "o-1", "tags": ["a b", "c&d", "ä"]}


def test_query_parameters_without_their_repeated_form_arrive(ask: Ask) -> None:
    event = rest_api("GET", "/orders/o-1", queryStringParameters={"tag": "a"})
    assert ask(Shop, event).json()["tags"] == ["a"]


def test_an_unknown_query_parameter_is_told(ask: Ask, source: Source) -> None:
    assert ask(Shop, source("GET", "/orders/o-1", query="tga=a")).status == 422


def test_repeated_headers_of_payload_1_stay_apart(ask: Ask) -> None:
    event = rest_api("GET", "/caller")
    event["multiValueHeaders"]["X-Team"] = ["red", "blue"]
    event["headers"]["X-Team"] = "blue"
    assert ask(Shop, event).json()["lines"] == ["red", "blue"]


def test_headers_of_payload_1_count_where_there_are_no_repeated_ones(ask: Ask) -> None:
    event = rest_api("GET", "/caller", multiValueHeaders=None)
    event["headers"]["X-Team"] = "blue"
    assert ask(Shop, event).json()["team"] == "blue"


def test_headers_beyond_latin_1_do_not_fail(ask: Ask, source: Source) -> None:
    event = source("GET", "/caller")
    event["headers"]["x-team"] = "красный"
    if "multiValueHeaders" in event:
        event["multiValueHeaders"]["x-team"] = ["красный"]
    assert ask(Shop, event).json()["lines"] == ["красный"]


def test_cookies_of_payload_2_are_one_header(ask: Ask) -> None:
    event = http_api_2("GET", "/caller", cookies=["a=1", "b=2"])
    event["headers"]["cookie"] = "a=1; b=2"
    assert ask(Shop, event).json()["cookie"] == "a=1; b=2"


def test_the_caller_is_the_address_that_the_gateway_saw(ask: Ask, source: Source) -> None:
    event = source("GET", "/caller")
    event["headers"]["x-forwarded-for"] = "198.51.100.1, 192.0.2.10"
    assert ask(Shop, event).json()["client"] == "192.0.2.10"


def test_the_service_url_is_the_one_that_the_caller_used(ask: Ask) -> None:
    urls = {
        f"https://{API_HOST}/prod": rest_api("GET", "/caller"),
        f"https://{CUSTOM_HOST}": rest_api("GET", "/caller", resource="/caller", host=CUSTOM_HOST),
        f"https://{CUSTOM_HOST}/v1/shop": rest_api(
            "GET", "/v1/shop/caller", resource="/caller", host=CUSTOM_HOST
        ),
        f"https://{CUSTOM_HOST}/shop": rest_api(
            "GET", "/shop/caller", host=CUSTOM_HOST, pathParameters={"proxy": "caller"}
        ),
        f"https://{API_HOST}": http_api_2("GET", "/caller"),
        f"https://{API_HOST}/beta": http_api_2("GET", "/caller", stage="beta"),
        f"https://{API_HOST}/beta1": http_api_1("GET", "/caller", stage="beta1"),
        f"https://{URL_HOST}": function_url("GET", "/caller"),
    }
    for url, event in urls.items():
        answer = ask(Shop, event)
        assert (answer.status, answer.json()["url"], answer.json()["path"]) == (200, url, "/caller")


def test_the_service_url_is_of_the_protocol_that_the_caller_spoke(ask: Ask, source: Source) -> None:
    for name in (
        "x-forwarded-proto",
        "X-Forwarded-Proto",
        "X-FORWARDED-PROTO",
    ):  # sam local writes the second
        for protocol in ("http", "https"):
            event = source("GET", "/caller")
            for headers in (event["headers"], event.get("multiValueHeaders", {})):
                spelt = next(known for known in [*headers, name] if known.lower() == name.lower())
                value = headers.pop(spelt, None)
                headers[name] = [protocol] if isinstance(value, list) else protocol
            assert ask(Shop, event).json()["url"].partition("://")[0] == protocol


def test_a_custom_domain_of_an_http_api_shows_no_stage_though_its_events_have_it(ask: Ask) -> None:
    answer = ask(Shop, http_api_2("GET", "/caller", stage="beta", host=CUSTOM_HOST))
    assert (answer.status, answer.json()["url"]) == (200, f"https://{CUSTOM_HOST}")


def test_without_a_host_header_the_domain_of_the_api_is_the_host(ask: Ask) -> None:
    event = http_api_2("GET", "/caller", stage="beta")
    del event["headers"]["host"]
    assert ask(Shop, event).json()["url"] == f"https://{API_HOST}/beta"


def test_a_path_that_begins_like_the_stage_keeps_its_beginning(ask: Ask) -> None:
    for event in (
        rest_api("GET", "/production"),
        http_api_2("GET", "/betaland", stage="beta"),
        http_api_1("GET", "/betaland", stage="beta"),
        rest_api("GET", "/prod/caller"),
    ):
        assert ask(Shop, event).status == 404


def test_the_root_of_a_stage_is_the_root_of_the_service(ask: Ask) -> None:
    for event in (
        rest_api("GET", "/", resource="/"),
        rest_api("GET", "/shop", resource="/", host=CUSTOM_HOST),
        http_api_2("GET", "/", stage="beta"),
        http_api_2("GET", "", stage="beta"),
        http_api_2("GET", ""),
        function_url("GET", "/"),
    ):
        assert ask(Shop, event).json() == "hello"


def test_the_specification_and_the_manifest_name_the_url_of_the_stage(ask: Ask) -> None:
    specification = ask(Shop, rest_api("GET", "/openapi.json")).json()
    assert specification["servers"] == [{"url": f"https://{API_HOST}/prod"}]
    manifest = ask(Shop, http_api_2("GET", "/.well-known/ai-plugin.json", stage="beta")).json()
    assert manifest["api"]["url"] == f"https://{API_HOST}/beta/openapi.json"


def test_a_service_may_be_mounted_under_a_path_of_the_api(
    ask: Ask, handler_of: Callable[..., LambdaHandler], source: Source
) -> None:
    handler = handler_of(Shop, mount="/shop/")
    answer = ask(handler, source("GET", "/shop/caller"))
    assert answer.json()["path"] == "/caller"
    assert answer.json()["url"].endswith("/shop")
    assert ask(handler, source("GET", "/shopping")).status == 404


def test_encoded_segments_are_decoded_once(ask: Ask) -> None:
    # REST APIs and function URLs leave the path as it came, HTTP APIs decode it.
    for event in (
        rest_api("GET", "/orders/a%20b%2520c%2Fd"),
        function_url("GET", "/orders/a%20b%2520c%2Fd"),
    ):
        assert ask(Shop, event).json()["id"] == "a b%20c/d"
    for event in (http_api_2("GET", "/orders/a b%20c"), http_api_1("GET", "/orders/a b%20c")):
        assert ask(Shop, event).json()["id"] == "a b%20c"


def test_an_event_without_the_http_part_is_read_by_its_route(ask: Ask) -> None:
    event = http_api_2("POST", "/orders", body=ORDER)
    del event["requestContext"]["http"]
    event["routeKey"] = "POST /orders"
    assert ask(Shop, event).status == 200


def test_optional_members_may_be_absent_or_null(ask: Ask) -> None:
    bare_2 = {"version": "2.0", "rawPath": "/orders/o-1", "requestContext": {"http": {"method": "GET"}}}
    bare_1 = {"httpMethod": "GET", "path": "/orders/o-1", "requestContext": {}}
    nulls = dict.fromkeys(
        (
            "headers",
            "multiValueHeaders",
            "queryStringParameters",
            "body",
            "cookies",
            "pathParameters",
            "resource",
        )
    )
    for bare in (bare_1, bare_2):
        assert ask(Shop, bare).json()["id"] == "o-1"
        assert ask(Shop, nulls | bare).json()["id"] == "o-1"


@pytest.mark.parametrize(
    "broken",
    [
        {"requestContext": {"http": "GET"}},
        {"requestContext": {"http": {"method": "GET"}, "domainName": 5, "stage": "a"}},
        {"headers": ["accept"]},
        {"headers": {"accept": None}},
        {"rawPath": 5},
        {"rawQueryString": ["a"]},
        {"cookies": [1]},
        {"routeKey": None, "requestContext": {}},
    ],
)
def test_a_malformed_event_of_a_known_kind_is_answered(ask: Ask, broken: dict[str, Any]) -> None:
    answer = ask(Shop, http_api_2("GET", "/orders/o-1", **broken))
    assert (answer.status, answer.json()["type"]) == (400, "urn:problem-type:service-kit:malformed-request")
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "event",
    [
        {"Records": [{"eventSource": "aws:sqs"}]},
        {"version": "0", "detail-type": "OrderPlaced", "detail": {}},
        {"httpMethod": "GET", "path": "/", "requestContext": {"elb": {"targetGroupArn": "arn"}}},
        {},
        None,
        [],
    ],
)
def test_an_event_of_another_kind_raises_an_error_that_names_the_known_ones(ask: Ask, event: Any) -> None:
    with pytest.raises(
        ValueError, match=r"REST and HTTP APIs \(payload 1.0\).*\(payload 2.0\).*function URLs"
    ):
        ask(Shop, event)
