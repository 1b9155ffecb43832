"""Parameters that travel as text: path segments, query parameters, headers and cookies of a REST request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, TypeAlias, assert_never
from urllib.parse import quote, urlencode

from client_kit.errors import InvalidOption
from client_kit.options import check_header_value

__all__ = ["Carried", "TextLocation", "WrongArguments", "write_texts"]

TextLocation: TypeAlias = Literal["path", "query", "header", "cookie"]

_SEPARATORS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_COOKIE = "!#$&'()*+-./:<=>?@[]^_`{|}~"
"""What RFC 6265 lets stand in a cookie's value as it is, but for '%', which is the escape of all else."""


class WrongArguments(TypeError):
    """Say how the arguments of a call do not fit its command."""


class Carried(NamedTuple):
    """One argument on its way, as JSON has it; None for one that is absent."""

    location: TextLocation
    argument: str
    """The name that its caller knows."""
    name: str
    """On the wire."""
    value: Any
    style: str = "form"
    """Of a query parameter, as OpenAPI names it."""
    explode: bool = True


def write_texts(command: str, path: str, carried: Iterable[Carried]) -> tuple[str, dict[str, str]]:
    """Return path and query, percent-encoded, and headers; raise WrongArguments for what cannot be where it belongs."""
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for one in carried:
        match one.location:
            case "path":
                path = path.replace(f"{{{one.name}}}", _segment(command, one))
            case _ if one.value is None:
                continue
            case "query":
                query += _pairs(one)
            case "header":
                headers[one.name.lower()] = _header(command, one.argument, _joined(one.value))
            case "cookie":
                cookies.append(f"{one.name}={quote(_joined(one.value), safe=_COOKIE)}")
            case _:
                assert_never(one.location)
    if cookies:
        headers["cookie"] = _header(command, "cookie", "; ".join(cookies))
    return f"{path}?{urlencode(query, quote_via=quote)}" if query else path, headers


def _segment(command: str, one: Carried) -> str:
    if one.value is None:
        raise WrongArguments(f"{command}() is missing its argument '{one.argument}'")
    text = _joined(one.value)
    if text in ("", ".", ".."):  # it would lead to another operation
        raise WrongArguments(f"{command}() takes a name or number as '{one.argument}', not '{text}'")
    return quote(text, safe="")


def _header(command: str, argument: str, text: str) -> str:
    try:
        if text:
            check_header_value(f"argument '{argument}'", text)
    except InvalidOption as error:
        raise WrongArguments(f"{command}(): {error}") from None
    return text


def _pairs(one: Carried) -> Iterator[tuple[str, str]]:
    """Yield the query parameters that carry a value, as its style says."""
    separator = _SEPARATORS.get(one.style, ",")
    match one.value:
        case list() if one.explode:
            yield from ((one.name, _spelt(item)) for item in one.value)
        case list():
            yield one.name, separator.join(map(_spelt, one.value))
        case dict() if one.style == "deepObject":
            members = ((key, item) for key, item in one.value.items() if item is not None)
            yield from ((f"{one.name}[{key}]", _spelt(item)) for key, item in members)
        case dict() if one.explode:
            yield from ((key, _spelt(item)) for key, item in one.value.items() if item is not None)
        case _:
            yield one.name, _joined(one.value)


def _joined(value: Any) -> str:
    """Return a value as one text, in the style `simple`."""
    match value:
        case list():
            return ",".join(map(_spelt, value))
        case dict():
            return ",".join(f"{key},{_spelt(item)}" for key, item in value.items() if item is not None)
        case _:
            return _spelt(value)


def _spelt(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
