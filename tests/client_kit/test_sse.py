"""Server-sent events, however their bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_kit import AnswerTooLarge
from client_kit.sse import EventParser, ServerEvent


def _parse(chunks: list[bytes], limit: int = 10_000) -> list[ServerEvent]:
    parser = EventParser(limit)
    return [event for chunk in chunks for event in parser.feed(chunk)]


STREAM = (
    b"\xef\xbb\xbfdata: 1\n\n"
    b":\n\n"
    b"data:2\r\n\r\n"
    b"event: error\rdata: {\rdata: }\r\r"
    b"id: 7\nretry: 10\nunknown: x\ndata\n\n"
    b"event: ping\n\n"
    b"data: caf\xc3\xa9\n\n"
    b"data: never finished"
)
EVENTS = [
    ServerEvent("message", b"1"),
    ServerEvent("message", b"2"),
    ServerEvent("error", b"{\n}"),
    ServerEvent("message", b""),
    ServerEvent("message", "café".encode()),
]


def test_events_are_read_as_the_standard_says() -> None:
    assert _parse([STREAM]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_do_not_depend_on_how_the_stream_is_cut(cuts: list[int]) -> None:
    ends = sorted({0, *cuts, len(STREAM)})
    assert _parse([STREAM[a:b] for a, b in pairwise(ends)]) == EVENTS


def test_events_come_with_the_chunk_that_completes_them() -> None:
    parser = EventParser(100)
    assert parser.feed(b"data: 1\n") == []
    assert parser.feed(b"\nda") == [ServerEvent("message", b"1")]


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_no_bytes_make_the_parser_fail(chunks: list[bytes]) -> None:
    _parse(chunks)


@pytest.mark.parametrize(
    "chunks",
    [
        [b"data: " + b"x" * 200],
        [b"data: x"] + [b"x"] * 200,
        [b"data: xxxxxxxxx\n"] * 20,
        [b":" + b"x" * 200],
        [b"data: 1\n\n" + b"y" * 200],
    ],
)
def test_an_event_or_line_over_the_limit_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(AnswerTooLarge):
        _parse(chunks, limit=100)


def test_many_small_events_are_not_over_the_limit() -> None:
    assert len(_parse([b"data: 0123456789\n\n" * 100], limit=100)) == 100
