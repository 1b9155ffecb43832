"""Requests for the fuzzer: from ones that the service takes to bytes that nobody would send."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tests.http.fuzzed import Everything

BODY_LIMIT = 100_000
TEXT_PARAMETERS = {"ratio", "price", "flag", "colour", "level", "span", "at", "id", "mode"}
"""The query parameters of `read_texts`."""

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


texts = st.one_of(
    st.integers().map(str),
    st.sampled_from([*NUMBERS, *WORDS, *DAYS]),
    st.dates().map(str),
    st.uuids().map(str),
    st.text(max_size=20).map(lambda text: quote(text.encode("utf-8", "surrogatepass"), safe="")),
    st.binary(max_size=20).map(lambda raw: quote(raw, safe="")),
).map(lambda text: quote(text, safe="%/.+:_-[]{}"))

routes = st.sampled_from([
    ("GET", "/texts/{}/{}/{}"), ("POST", "/everything"), ("PUT", "/mixed/{}"), ("DELETE", "/things/{}"),
    ("POST", "/stream"), ("GET", "/guarded"), ("GET", "/raw/{}"), ("POST", "/rpc/read_texts"),
    ("POST", "/rpc/take_everything"), ("POST", "/rpc/take_mixed"), ("POST", "/rpc/take_in_thread"),
    ("POST", "/rpc/stream_values"), ("POST", "/rpc/guarded"), ("POST", "/rpc/{}"), ("GET", "/openapi.json"),
    ("GET", "/openapi.yaml"), ("GET", "/.well-known/ai-plugin.json"), ("GET", "/docs/{}"), ("GET", "/healthz"),
    ("GET", "/{}"), ("GET", "{}"),
])  # fmt: skip
methods = st.one_of(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"]),
    st.text("ABCXYZ-_", min_size=1, max_size=10),
)


@st.composite
def targets(draw: st.DrawFn) -> tuple[str, bytes]:
    """A method and a path, four times of five of a route that exists."""
    method, template = draw(routes)
    if draw(st.integers(0, 4)) == 0:
        method = draw(methods)
    return method, template.format(*(draw(texts) for _ in range(template.count("{}")))).encode()


query_names = st.one_of(
    st.sampled_from(sorted(TEXT_PARAMETERS | {"note", "key", "version"})),
    texts,
)
queries = st.one_of(
    st.just(b""),
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


def trees(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"kind": st.just("branch")},
        optional={
            "children": st.lists(inner, max_size=3),
            "by_name": st.dictionaries(st.text(max_size=3), inner),
        },
    )


leaves = st.fixed_dictionaries({"kind": st.just("leaf")}, optional={"weight": st.floats()})
points = st.fixed_dictionaries({"x": st.integers()}, optional={"y": st.decimals().map(str)})
fitting = st.fixed_dictionaries(
    {},
    optional={
        "count": st.integers(),
        "ratio": st.floats(),
        "price": st.one_of(st.decimals().map(str), st.floats(), st.integers()),
        "day": st.one_of(st.dates().map(str), st.integers()),
        "at": st.one_of(st.datetimes().map(str), st.floats()),
        "clock": st.one_of(st.times().map(str), st.floats()),
        "span": st.one_of(st.timedeltas().map(str), st.floats()),
        "id": st.uuids().map(str),
        "colour": st.sampled_from(["red", "blue"]),
        "level": st.sampled_from([1, 2, "1"]),
        "url": st.one_of(
            st.just("http://exämple.com/%zz?q#f"), st.text(max_size=9).map("https://h/{}".format)
        ),
        "address": st.ip_addresses().map(str),
        "path": st.text(max_size=9),
        "raw": st.text(max_size=9),
        "secret": st.text(max_size=9),
        "text": st.one_of(st.text("abc ", max_size=9), st.just("no")),
        "pair": st.tuples(st.integers(), st.text(max_size=9)),
        "names": st.lists(st.text(max_size=9), max_size=3),
        "numbers": st.dictionaries(st.integers().map(str), st.floats(), max_size=3),
        "anything": values,
        "free": values,
        "tree": trees(st.recursive(leaves, trees, max_leaves=8)),
        "point": points,
    },
)
calls = st.one_of(
    fitting,
    st.fixed_dictionaries(
        {"point": points, "everything": fitting}, optional={"free": values, "number": st.integers(0)}
    ),
    st.fixed_dictionaries({"values": st.lists(values, max_size=4)}, optional={"fail": st.booleans()}),
    st.fixed_dictionaries({"number": st.integers(), "day": st.dates().map(str), "word": st.text(max_size=9)}),
)
objects = st.one_of(
    calls,
    st.dictionaries(st.sampled_from(MEMBERS), values, max_size=6),
    st.tuples(calls, st.dictionaries(st.sampled_from(MEMBERS), values, max_size=1)).map(
        lambda two: two[0] | two[1]
    ),
)
json_bodies = st.one_of(objects, objects, values).map(lambda value: json.dumps(value).encode())
utf8_bodies = objects.map(
    lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
)


@st.composite
def broken_bodies(draw: st.DrawFn) -> bytes:
    """A body with some bytes cut out and others put in."""
    body = draw(json_bodies)
    at = draw(st.integers(0, len(body)))
    return body[:at] + draw(st.binary(max_size=8)) + body[at + draw(st.integers(0, 8)) :]


# Half of them are JSON as it should be.
bodies = st.one_of(
    json_bodies,
    json_bodies,
    json_bodies,
    utf8_bodies,
    broken_bodies(),
    st.sampled_from(HARD_BODIES),
    st.binary(max_size=200),
)


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    method, path = draw(targets())
    body = draw(bodies) if method not in ("GET", "DELETE") or draw(st.booleans()) else b""
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=3)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    return Sent(method, path, draw(queries), draw(headers), pieces, hangs_up=draw(st.integers(0, 30)) == 30)
