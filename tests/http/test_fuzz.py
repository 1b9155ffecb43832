"""Whatever bytes arrive, the answer is one that the service means: never a 500, a hang, or a word of its inside.

Requests go to the ASGI application as a server would hand them over, without a client that could mend them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service_kit.http import AsgiApplication, HttpOptions
from tests.http.fuzz_inputs import (
    BODY_LIMIT,
    HARD_BODIES,
    TEXT_PARAMETERS,
    Sent,
    bodies,
    header_values,
    requests,
    texts,
)
from tests.http.fuzzed import Fuzzed

HANG_S = 60
"""A failsafe: long enough for any machine, so that a hang is a failure and not a stuck suite."""

LEAKS = (b"Traceback", b"site-packages", b"service_kit", b"pydantic", b".py", b"service-kit:internal")


@dataclass
class Answer:
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


class Server:
    """Hands requests to the application, in one event loop."""

    def __init__(self, application: AsgiApplication) -> None:
        self._application = application
        self._runner = asyncio.Runner()

    def close(self) -> None:
        self._runner.close()

    def send(self, sent: Sent) -> Answer:
        async def run() -> Answer:
            async with asyncio.timeout(HANG_S):
                return await self._exchange(sent)

        return self._runner.run(run())

    async def _exchange(self, sent: Sent) -> Answer:
        pieces = sent.body or [b""]
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1}
            for at, piece in enumerate(pieces)
        ]
        if sent.hangs_up:
            messages[-1] = {"type": "http.disconnect"}
        incoming = iter(messages)
        answer = Answer()

        async def receive() -> dict[str, Any]:
            message = next(incoming, None)
            if message is None:
                await asyncio.Event().wait()
            assert message is not None
            return message

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                assert not answer.status, "an answer has one start"
                answer.status = message["status"]
                answer.headers = {bytes(name): bytes(value) for name, value in message["headers"]}
            else:
                answer.body += message["body"]

        await self._application(_scope(sent), receive, send)
        return answer


def _scope(sent: Sent) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        # As uvicorn and hypercorn decode it.
        "path": unquote_to_bytes(sent.raw_path).decode("utf-8", "replace"),
        "raw_path": sent.raw_path,
        "query_string": sent.query,
        "root_path": "",
        "headers": sent.headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server(Fuzzed.asgi(HttpOptions(body_limit_bytes=BODY_LIMIT)))
    yield running
    running.close()


def check(sent: Sent, answer: Answer) -> None:
    """Assert what holds for every answer."""
    if sent.hangs_up and not answer.status:
        return
    waits = any(name == b"request-timeout-ms" for name, _ in sent.headers)
    assert answer.status < 500 or (answer.status == 504 and waits), answer.body[:2000]
    assert answer.headers[b"x-request-id"]
    for name, value in answer.headers.items():
        assert not set(name + value) & {0, 10, 13}, "a header that ends early begins another one"
    if answer.status >= 400:
        assert answer.headers[b"content-type"] == b"application/problem+json"
        check_problem(sent, answer)


def check_problem(sent: Sent, answer: Answer) -> None:
    if sent.method == "HEAD":
        return  # servers send no body then; FastAPI's routes rely on that
    problem = json.loads(answer.body)
    assert problem["status"] == answer.status
    assert {"type", "title", "detail", "request_id"} <= problem.keys()
    assert not [leak for leak in LEAKS if leak in answer.body], answer.body[:2000]


def test_no_request_breaks_the_service(server: Server) -> None:
    @given(requests())
    def run(sent: Sent) -> None:
        check(sent, server.send(sent))

    run()


@pytest.mark.parametrize(
    "path", ["/everything", "/mixed/1", "/stream", "/rpc/take_in_thread", "/rpc/take_everything"]
)
@pytest.mark.parametrize("body", HARD_BODIES, ids=lambda body: repr(body[:24]))
def test_hard_bodies_are_answered(server: Server, path: str, body: bytes) -> None:
    sent = Sent("PUT" if "mixed" in path else "POST", path.encode(), body=[body])
    check(sent, server.send(sent))


def test_no_body_breaks_a_command(server: Server) -> None:
    """Bodies alone, to a path that takes them: most of the others stop before."""

    @given(st.sampled_from(["take_everything", "take_in_thread", "take_mixed", "stream_values"]), bodies)
    @example("take_everything", b'{"free":"\\ud83d\\ude00"}')
    def run(name: str, body: bytes) -> None:
        sent = Sent(
            "POST", f"/rpc/{name}".encode(), headers=[(b"content-type", b"application/json")], body=[body]
        )
        check(sent, server.send(sent))

    run()


def test_no_text_breaks_a_command(server: Server) -> None:
    """Path segments, query parameters and headers alone, as above."""

    numbers = st.one_of(st.just("7"), texts)
    pairs = st.tuples(st.sampled_from(sorted(TEXT_PARAMETERS)), texts).map("=".join)
    raw = st.tuples(st.sampled_from([b"trace", b"user-agent"]), header_values)

    @given(numbers, texts, st.lists(pairs, max_size=2), st.lists(raw, max_size=1))
    def run(number: str, word: str, query: list[str], lines: list[tuple[bytes, bytes]]) -> None:
        path = f"/texts/{number}/2026-01-31/{word}".encode()
        sent = Sent("GET", path, "&".join(query).encode(), lines)
        check(sent, server.send(sent))

    run()
