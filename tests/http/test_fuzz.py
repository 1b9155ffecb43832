"""Whatever bytes arrive, the answer is one that the service means: never a 500, a hang, or a word of its inside.

Requests go to the ASGI application as a server would hand them over, without a client that could mend them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service_kit.http import AsgiApplication, HttpOptions
from tests.http.fuzzed import Everything, Fuzzed

BODY_LIMIT = 100_000
HANG_S = 60
"""A failsafe: long enough for any machine, so that a hang is a failure and not a stuck suite."""

LEAKS = (b"Traceback", b"site-packages", b"service_kit", b"pydantic", b".py", b"service-kit:internal")

NUMBERS = [
    "0",
    "-1",
    "1e400",
    "-1e-400",
    "9" * 5_000,
    "9" * 300,
    "0x1f",
    "1_000",
    "NaN",
    "-Infinity",
    "٣",
    "1e3",
    " 1 ",
]
WORDS = [
    "",
    ".",
    "..",
    "%00",
    "%2F",
    "%ED%A0%80",
    "%FF",
    "%F0%9F%98%80",
    "true",
    "null",
    "[]",
    "{}",
    "a" * 3_000,
]
DAYS = [
    "2026-01-31",
    "0000-00-00",
    "99999-01-01",
    "2026-01-31T25:00:00",
    "P999999999D",
    "-P1Y",
    "9" * 30,
    "1e18",
]
MEMBERS = [*Everything.model_fields, "everything", "point", "x", "y", "values", "tree", "children", "by_name", "kind",
           "weight", "free", "note", "fail", "id", "__proto__", ""]  # fmt: skip
HARD_BODIES = [
    b"",
    b"{",
    b"[" * 50_000,
    b'{"a":' * 15_000,
    b'{"values":' + b"[" * 180 + b"]" * 180 + b"}",
    b'{"tree":{"by_name":' + b'{"a":{"by_name":' * 150 + b"{}" + b"}}" * 150 + b"}}",
    b'{"tree":{"kind":"branch","children":'
    + b'[{"kind":"branch","children":' * 90
    + b"[]"
    + b"}]" * 90
    + b"}}",
    b'{"count":NaN,"ratio":Infinity,"price":-Infinity}',
    b'{"values":[NaN,Infinity,-Infinity,1e400,-0.0]}',
    b'{"count":' + b"9" * 4_299 + b"}",
    b'{"count":' + b"9" * 20_000 + b"}",
    b'{"free":' + b"9" * 20_000 + b"}",
    b'{"price":"1e999999999","ratio":1e-999999999}',
    b'{"price":"sNaN"}',
    b'{"free":"\\ud800","anything":"\\udfff\\ud800"}',
    b'{"\\ud800":1}',
    b'{"text":"\xff\xfe"}',
    b'{"text":"\x00","free":"\\u0000"}',
    b"\xef\xbb\xbf{}",
    '{"count":1}'.encode("utf-16"),
    b'{"count":1,"count":2}',
    b'{"span":"P99999999999D","at":"9999-12-31T23:59:59.999999-23:59","clock":"24:00:00"}',
    b'{"at":1e18,"day":1e18,"span":1e300}',
    b'{"at":-62135596801,"day":-62135596801}',
    b'{"url":"http://[::1","address":"::ffff:1.2.3.4.5","path":"\\u0000"}',
    b"null",
    b"x" * (BODY_LIMIT + 1),
]


@dataclass
class Sent:
    """A request as a server hands it over; `body` in pieces."""

    method: str
    raw_path: bytes
    query: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: list[bytes] = field(default_factory=list)
    hangs_up: bool = False


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


texts = st.one_of(
    st.sampled_from([*NUMBERS, *WORDS, *DAYS]),
    st.integers().map(str),
    st.dates().map(str),
    st.uuids().map(str),
    st.text(max_size=20).map(lambda text: quote(text.encode("utf-8", "surrogatepass"), safe="")),
    st.binary(max_size=20).map(lambda raw: quote(raw, safe="")),
).map(lambda text: quote(text, safe="%/.+:_-[]{}"))

templates = st.sampled_from([
    "/texts/{}/{}/{}", "/everything", "/mixed/{}", "/things/{}", "/stream", "/guarded", "/raw/{}",
    "/rpc/read_texts", "/rpc/take_everything", "/rpc/take_mixed", "/rpc/take_in_thread", "/rpc/stream_values",
    "/rpc/{}", "/openapi.json", "/openapi.yaml", "/.well-known/ai-plugin.json", "/docs/{}", "/healthz", "/{}", "{}",
])  # fmt: skip


@st.composite
def paths(draw: st.DrawFn) -> bytes:
    template = draw(templates)
    return template.format(*(draw(texts) for _ in range(template.count("{}")))).encode()


methods = st.one_of(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"]),
    st.text("ABCXYZ-_", min_size=1, max_size=10),
)

query_names = st.one_of(
    st.sampled_from(
        ["ratio", "price", "flag", "colour", "level", "span", "at", "id", "mode", "note", "key", "version"]
    ),
    texts,
)
queries = st.one_of(
    st.lists(st.tuples(query_names, texts), max_size=4).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode()
    ),
    st.binary(max_size=50),
)

# What a server lets through: no CR, LF or NUL (RFC 9110 section 5.5).
header_values = st.one_of(
    st.sampled_from(
        [b"application/json", b"APPLICATION/JSON ; charset=utf-16", b"text/plain", b"a/b+json", b";", b""]
    ),
    st.sampled_from(
        [b"0", b"1", b"-1", b"30000", b"9" * 40, b"1.5", b"\xb2", b"good", b"g\xf6\xf6d", b"Bearer good"]
    ),
    st.sampled_from([b"session=good", b"session=\xff; =;;", b"*", b"https://app.example.com", b"a" * 10_000]),
    st.binary(max_size=300).map(lambda raw: raw.translate(None, b"\0\r\n")),
)
headers = st.lists(
    st.tuples(
        st.sampled_from([
            b"content-type", b"content-type", b"content-type", b"idempotency-key", b"request-timeout-ms",
            b"x-request-id", b"content-length", b"host", b"origin", b"access-control-request-method", b"cookie",
            b"authorization",
            b"x-api-key", b"if-none-match", b"trace", b"user-agent", b"accept", b"content-encoding",
        ]),
        header_values,
    ),
    max_size=5,
)  # fmt: skip

values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
        st.sampled_from([*NUMBERS, *WORDS, *DAYS, 10**400, 2**63, 1e300, "\ud800"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(MEMBERS), st.text(max_size=5)), inner, max_size=5),
    ),
    max_leaves=15,
)  # fmt: skip
objects = st.dictionaries(st.sampled_from(MEMBERS), values, max_size=6)
json_bodies = st.one_of(objects, values).map(lambda value: json.dumps(value).encode())
utf8_bodies = objects.map(
    lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
)


@st.composite
def broken_bodies(draw: st.DrawFn) -> bytes:
    """A body with some bytes cut out and others put in."""
    body = draw(json_bodies)
    at = draw(st.integers(0, len(body)))
    return body[:at] + draw(st.binary(max_size=8)) + body[at + draw(st.integers(0, 8)) :]


bodies = st.one_of(
    json_bodies, utf8_bodies, broken_bodies(), st.sampled_from(HARD_BODIES), st.binary(max_size=200)
)


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    body = draw(bodies)
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=3)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    return Sent(
        draw(methods), draw(paths()), draw(queries), draw(headers), pieces, draw(st.integers(0, 30)) == 30
    )


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

    @given(texts, texts, queries, headers)
    def run(number: str, word: str, query: bytes, lines: list[tuple[bytes, bytes]]) -> None:
        sent = Sent("GET", f"/texts/{number}/2026-01-31/{word}".encode(), query, lines)
        check(sent, server.send(sent))

    run()
