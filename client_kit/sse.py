"""Server-sent events, parsed as their bytes come (WHATWG HTML, 9.2.6 "Interpreting an event stream")."""

from __future__ import annotations

from dataclasses import dataclass

from client_kit.errors import AnswerTooLarge

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    kind: str
    data: bytes


class EventParser:
    """Turns chunks into events. Comments, which serve as heartbeats, and unknown fields are skipped.

    An unfinished event takes at most `limit` bytes; past it `feed` raises AnswerTooLarge.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._kind = "message"
        self._after_cr = False
        self._begun = False

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that this chunk completes."""
        text = self._with_line_feeds(chunk)
        head, newline, rest = text.partition(b"\n")
        self._line += head
        if not newline:
            self._check_size(len(self._line))
            return []
        lines = [bytes(self._line), *rest.split(b"\n")]
        self._line = bytearray(lines.pop())
        if not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BOM)
        events = [event for line in lines if (event := self._take(line)) is not None]
        self._check_size(len(self._line))
        return events

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """Return the chunk with every line ending as one LF; a CR LF may be cut between two chunks."""
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_cr = False
        if not chunk or b"\r" not in chunk:
            self._after_cr = self._after_cr and not chunk
            return chunk
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value) + 1
            self._check_size(0)
            self._data.append(value)
        elif name == b"event":
            self._kind = value.decode("utf-8", "replace") or "message"
        return None

    def _dispatch(self) -> ServerEvent | None:
        data, kind = self._data, self._kind
        self._data, self._kind, self._size = [], "message", 0
        return ServerEvent(kind, b"\n".join(data)) if data else None

    def _check_size(self, unfinished: int) -> None:
        if self._size + unfinished > self._limit:
            raise AnswerTooLarge(self._limit)
