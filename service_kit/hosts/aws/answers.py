"""From responses to what API Gateway and function URLs take for one."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

from service_kit.contract.exchange import Response
from service_kit.hosts.aws.events import Payload

ROOM_BYTES = 6 * 1024 * 1024 - 32 * 1024
"""What Lambda carries for one answer, 6 MB as JSON, less some room for status and headers."""

_SURELY_FITS = ROOM_BYTES // 6
"""No character takes more than six bytes as JSON."""

_TEXT_TYPES = (b"text/", b"application/json")
_TEXT_MARKS = (b"+json", b"+xml", b"/xml", b"yaml", b"javascript", b"x-www-form-urlencoded")


class AnswerTooLarge(Exception):
    """The answer is larger than Lambda carries."""

    def __init__(self) -> None:
        super().__init__(
            f"the answer is larger than {ROOM_BYTES} bytes, which is what Lambda carries; page it"
        )


def write_answer(response: Response, payload: Payload, *, with_body: bool) -> dict[str, Any]:
    """Return the answer in the shape of the payload's version; raise AnswerTooLarge."""
    body, encoded = _body(response) if with_body and response.body else ("", False)
    answer: dict[str, Any] = {"statusCode": response.status, "body": body, "isBase64Encoded": encoded}
    if payload == "2.0":
        _write_headers_2(response, answer)
    else:
        _write_headers_1(response, answer)
    return answer


async def collect(stream: AsyncIterator[bytes]) -> bytes:
    """Return the whole of a stream; raise AnswerTooLarge when it exceeds what can be sent."""
    pieces, size = list[bytes](), 0
    try:
        async for piece in stream:
            pieces.append(piece)
            size += len(piece)
            if size > ROOM_BYTES:
                raise AnswerTooLarge
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
    return b"".join(pieces)


def _write_headers_2(response: Response, answer: dict[str, Any]) -> None:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for line, octets in response.raw_headers:
        name, value = line.decode("latin-1").lower(), octets.decode("latin-1")
        if name == "set-cookie":
            cookies.append(value)
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    answer["headers"] = headers
    if cookies:
        answer["cookies"] = cookies


def _write_headers_1(response: Response, answer: dict[str, Any]) -> None:
    headers: dict[str, list[str]] = {}
    for line, octets in response.raw_headers:
        headers.setdefault(line.decode("latin-1").lower(), []).append(octets.decode("latin-1"))
    answer["multiValueHeaders"] = headers


def _body(response: Response) -> tuple[str, bool]:
    body, text = response.body, None
    if _is_text(response):
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = None
    if text is None:
        if len(body) * 4 > ROOM_BYTES * 3:
            raise AnswerTooLarge
        return b64encode(body).decode("ascii"), True
    if len(body) > _SURELY_FITS and _as_json_bytes(text) > ROOM_BYTES:
        raise AnswerTooLarge
    return text, False


def _as_json_bytes(text: str) -> int:
    import json  # only for answers of more than a megabyte

    return len(json.dumps(text, ensure_ascii=False).encode())  # as the Lambda runtime writes it


def _is_text(response: Response) -> bool:
    content_type = b""
    for name, value in response.raw_headers:
        if name == b"content-type":
            content_type = value
        elif name == b"content-encoding":
            return False
    if content_type == b"application/json":
        return True
    return content_type.startswith(_TEXT_TYPES) or any(mark in content_type for mark in _TEXT_MARKS)
