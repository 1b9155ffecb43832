"""Calls over real sockets, with each transport, async and sync: what works, and each way to fail."""

from __future__ import annotations

import gzip
import socket
from threading import Event

import pytest

from client_kit import (
    AnswerTooLarge,
    CallTimeout,
    ClientOptions,
    ConnectFailed,
    ConnectionLost,
    ContractDrift,
    ProblemError,
    Retry,
)
from client_kit.options import World
from tests.client_kit.conftest import Call, Items, Serve, ServeBytes, read_request, reset
from tests.client_kit.shop import END, ITEM, Answer, Order, OutOfStock, ScriptedApp, problem, stream

ONCE = Retry(max_attempts=1)
QUICK = Retry(backoff_s=0.001)


def test_a_call_sends_the_arguments_and_returns_the_typed_result(call: Call, serve: Serve) -> None:
    app = ScriptedApp()
    assert call(serve(app)) == Order(id="o-1", sku="sku-1", quantity=2)
    [asked] = app.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/rpc/place", b'{"sku":"sku-1","quantity":2}')
    assert asked.headers["content-type"] == "application/json"
    assert 29_000 < int(asked.headers["request-timeout-ms"]) <= 30_000


@pytest.mark.parametrize("prefix", ["/orders", "/orders/", "/caf%C3%A9/x", "/café/x"])
def test_a_service_may_live_under_a_prefix(call: Call, serve: Serve, prefix: str) -> None:
    app = ScriptedApp()
    call(serve(app) + prefix)
    assert app.asked[0].path == prefix.rstrip("/").replace("é", "%C3%A9") + "/rpc/place"


def test_a_declared_error_is_raised_as_its_own_class(call: Call, serve: Serve) -> None:
    url = serve(ScriptedApp(problem(409, "urn:problem-type:shop:OutOfStock", sku="sku-1", left=3)))
    with pytest.raises(OutOfStock) as raised:
        call(url)
    assert (raised.value.sku, raised.value.left) == ("sku-1", 3)


def test_connections_are_used_again(call: Call, serve_bytes: ServeBytes) -> None:
    connections: list[int] = []

    def talk(peer: socket.socket) -> None:
        connections.append(1)
        for status in (b"503 Service Unavailable", b"200 OK"):
            read_request(peer)
            body = b'{"id":"o-1","sku":"s"}'
            peer.sendall(
                b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
                % (status, len(body), body)
            )

    assert call(serve_bytes(talk), key="k-1", retry=QUICK).id == "o-1"
    assert len(connections) == 1


def test_nobody_listening_is_a_failed_connection_after_all_attempts(call: Call, unused_url: str) -> None:
    with pytest.raises(ConnectFailed) as raised:
        call(unused_url, retry=QUICK)
    assert raised.value.attempts == 4
    assert "command 'place': cannot connect to " + unused_url in str(raised.value)


def test_a_reset_in_mid_body_is_a_lost_connection_and_not_retried(
    call: Call, serve_bytes: ServeBytes
) -> None:
    requests: list[int] = []

    def talk(peer: socket.socket) -> None:
        requests.append(1)
        read_request(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{")
        reset(peer)

    with pytest.raises(ConnectionLost, match=r"command 'place': .*idempotency_key"):
        call(serve_bytes(talk), retry=QUICK)
    assert len(requests) == 1


def test_a_lost_connection_is_tried_again_with_an_idempotency_key(
    call: Call, serve_bytes: ServeBytes
) -> None:
    keys: list[bool] = []

    def talk(peer: socket.socket) -> None:
        keys.append(b"idempotency-key: k-1" in read_request(peer).lower())
        if len(keys) > 1:
            body = b'{"id":"o-1","sku":"s"}'
            peer.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n" + body
            )

    assert call(serve_bytes(talk), key="k-1", retry=QUICK).id == "o-1"
    assert keys == [True, True]


def test_a_slow_service_is_given_up_when_the_time_is_over(call: Call, serve_bytes: ServeBytes) -> None:
    over = Event()

    def talk(peer: socket.socket) -> None:
        read_request(peer)
        over.wait()

    try:
        with pytest.raises(CallTimeout, match=r"no answer within 0\.05 s") as raised:
            call(serve_bytes(talk), timeout_s=0.05)
    finally:
        over.set()
    assert isinstance(raised.value, TimeoutError)


def test_a_service_that_drips_its_body_is_given_up_too(call: Call, serve_bytes: ServeBytes) -> None:
    over = Event()

    def talk(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n")
        try:
            while not over.wait(0.01):
                peer.sendall(b" ")
        except OSError:
            pass

    try:
        with pytest.raises(CallTimeout):
            call(serve_bytes(talk), timeout_s=0.1)
    finally:
        over.set()


def test_a_503_with_retry_after_is_tried_again(call: Call, serve: Serve) -> None:
    app = ScriptedApp(problem(503, headers={"retry-after": "0"}), Answer())
    assert call(serve(app), key="k-1", retry=QUICK).id == "o-1"
    assert len(app.asked) == 2


def test_a_page_of_a_proxy_is_told_from_an_answer_of_the_service(call: Call, serve: Serve) -> None:
    page = b"<html>" + b"secret" * 1000 + b"</html>"
    with pytest.raises(
        ProblemError, match="502 Bad Gateway: not an answer of the service but text/html"
    ) as raised:
        call(serve(ScriptedApp(Answer(page, 502, "text/html"))), retry=ONCE)
    assert len(str(raised.value)) < 450


def test_a_login_page_with_200_is_no_result(call: Call, serve: Serve) -> None:
    with pytest.raises(ProblemError, match="200 OK: not an answer of the service but text/html"):
        call(serve(ScriptedApp(Answer(b"<form>", 200, "text/html"))))


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"type": 3, "title": {}}', b"\xff", b"[" * 100_000])
def test_a_malformed_problem_is_still_a_problem_error(call: Call, serve: Serve, body: bytes) -> None:
    with pytest.raises(ProblemError) as raised:
        call(serve(ScriptedApp(Answer(body, 500, "application/problem+json"))))
    assert raised.value.status == 500


def test_a_huge_answer_is_refused(call: Call, serve: Serve) -> None:
    with pytest.raises(AnswerTooLarge, match="command 'place': the answer is larger than 1000 bytes"):
        call(
            serve(ScriptedApp(Answer(b'"' + b"x" * 100_000 + b'"'))),
            options=ClientOptions(max_answer_bytes=1000),
        )


def test_redirects_are_not_followed_and_say_where_to_go(call: Call, serve: Serve) -> None:
    app = ScriptedApp(Answer(b"", 308, headers={"location": "https://new.example/v2?token=secret"}))
    with pytest.raises(ProblemError, match=r"308 .*'https://new\.example/v2'.*final URL") as raised:
        call(serve(app))
    assert "secret" not in str(raised.value)
    assert len(app.asked) == 1


def test_a_compressed_answer_is_read(call: Call, serve: Serve) -> None:
    body = gzip.compress(b'{"id":"o-9","sku":"s"}')
    assert call(serve(ScriptedApp(Answer(body, headers={"content-encoding": "gzip"})))).id == "o-9"


def test_items_of_a_stream_come_typed_and_heartbeats_are_skipped(items: Items, serve: Serve) -> None:
    seen: list[str] = []
    app = ScriptedApp(stream(ITEM % 0, b":\n\n", ITEM % 1 + ITEM % 2, END))
    items(serve(app), seen)
    assert seen == ["o-0", "o-1", "o-2"]
    assert app.asked[0].headers["accept"] == "text/event-stream"
    assert "request-timeout-ms" not in app.asked[0].headers


def test_a_declared_error_in_mid_stream_is_raised_as_its_own_class(items: Items, serve: Serve) -> None:
    seen: list[str] = []
    error = b'event: error\ndata: {"type":"urn:problem-type:shop:OutOfStock","status":409,"sku":"s-1"}\n\n'
    with pytest.raises(OutOfStock) as raised:
        items(serve(ScriptedApp(stream(ITEM % 0, error))), seen)
    assert (seen, raised.value.sku) == (["o-0"], "s-1")


def test_a_problem_in_mid_stream_is_a_problem_error(items: Items, serve: Serve) -> None:
    error = b'event: error\ndata: {"type":"urn:problem-type:service-kit:internal","status":500,"request_id":"r"}\n\n'
    with pytest.raises(ProblemError) as raised:
        items(serve(ScriptedApp(stream(error))), [])
    assert (raised.value.status, raised.value.request_id) == (500, "r")


def test_a_stream_without_an_end_was_cut(items: Items, serve: Serve) -> None:
    seen: list[str] = []
    with pytest.raises(
        ConnectionLost, match="'tail': the stream was cut after 2 items; call again for a new stream"
    ):
        items(serve(ScriptedApp(stream(ITEM % 0, ITEM % 1))), seen)
    assert seen == ["o-0", "o-1"]


def test_a_reset_in_mid_stream_is_a_lost_connection(items: Items, serve_bytes: ServeBytes) -> None:
    def talk(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        peer.sendall(b"5\r\ndata:\r\n")
        reset(peer)

    with pytest.raises(ConnectionLost, match=r"command 'tail'.*, after 0 items; call again for a new stream"):
        items(serve_bytes(talk), [])


def test_a_stream_that_outlives_its_time_is_given_up(items: Items, serve: Serve) -> None:
    seen: list[str] = []
    world = World(monotonic=lambda: 1000.0 * len(seen))
    with pytest.raises(CallTimeout, match="did not end within 500 s, after 1 items"):
        items(
            serve(ScriptedApp(stream(ITEM % 0, b":wait\n\n"))),
            seen,
            timeout_s=500,
            options=ClientOptions(world=world),
        )


def test_a_silent_stream_is_taken_for_lost(items: Items, serve: Serve) -> None:
    app = ScriptedApp(stream(ITEM % 0, b":wait\n\n"))
    with pytest.raises(ConnectionLost, match=r"silent for 0\.1 s"):
        items(serve(app), [], options=ClientOptions(idle_timeout_s=0.1))


def test_an_endless_line_in_a_stream_is_refused(items: Items, serve: Serve) -> None:
    app = ScriptedApp(stream(b"data: " + b"x" * 100_000, END))
    with pytest.raises(AnswerTooLarge, match="command 'tail'"):
        items(serve(app), [], options=ClientOptions(max_answer_bytes=1000))


def test_a_stream_where_the_contract_says_one_result_is_drift(call: Call, serve: Serve) -> None:
    with pytest.raises(ContractDrift, match="'place': its answer: is a stream of items, and one result"):
        call(serve(ScriptedApp(stream(ITEM % 0, END))))


def test_one_result_where_the_contract_says_stream_is_drift(items: Items, serve: Serve) -> None:
    with pytest.raises(ContractDrift, match="'tail': its answer: is one result, and a stream"):
        items(serve(ScriptedApp(Answer())), [])


def test_a_failure_before_the_stream_begins_is_raised_as_for_any_call(items: Items, serve: Serve) -> None:
    with pytest.raises(OutOfStock):
        items(serve(ScriptedApp(problem(409, "urn:problem-type:shop:OutOfStock", sku="s"))), [])
