"""Bodies that are no JSON: forms and bare bytes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlencode

from client_kit.contracts.parameters import BodyCodec

__all__ = ["encode_form"]


def encode_form(kind: str, codec: BodyCodec, arguments: Mapping[str, Any]) -> tuple[str, bytes]:
    """Return the content type and the body of a form, or of bytes by themselves."""
    value: object = arguments.get(codec.flat) if codec.flat is not None else dict(arguments)
    if isinstance(value, bytes):
        return kind, value
    plain = codec.writer.write_members(value)
    members = cast(dict[str, object], plain) if isinstance(plain, dict) else {"body": plain}
    fields = [(name, one) for name, item in members.items() for one in _repeated(item)]
    if kind == "multipart/form-data":
        boundary = secrets.token_hex(16)
        return f"{kind}; boundary={boundary}", b"".join(_parts(fields, boundary.encode()))
    return kind, urlencode([(name, _text(item)) for name, item in fields]).encode()


def _repeated(value: object) -> list[object]:
    if value is None:
        return []
    return cast(list[object], value) if isinstance(value, list) else [value]


def _parts(fields: list[tuple[str, object]], boundary: bytes) -> Iterator[bytes]:
    for name, value in fields:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"').encode()
        disposition = b'content-disposition: form-data; name="' + quoted + b'"'
        if isinstance(value, bytes):
            # A part without a file name is a field to most services, and no file.
            disposition += b'; filename="' + quoted + b'"\r\ncontent-type: application/octet-stream'
        content = value if isinstance(value, bytes) else _text(value).encode()
        yield b"--" + boundary + b"\r\n" + disposition + b"\r\n\r\n" + content + b"\r\n"
    yield b"--" + boundary + b"--\r\n"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else json.dumps(value, default=str)
