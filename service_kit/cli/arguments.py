"""Arguments of a call, from the command line to the JSON body of the RPC route."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from service_kit.cli.failures import Unusable
from service_kit.cli.samples import resolved

_PAIR = re.compile(r"(?P<name>[A-Za-z_][\w.-]*)(?P<sign>:?=)(?P<value>.*)", re.DOTALL)
_CURE = "write one JSON object, or name=value pairs (name:=value takes the value as JSON)"


def is_argument(word: str) -> bool:
    """Tell an argument from the name of a service or command."""
    return word == "-" or word.startswith(("{", "[", "@")) or _PAIR.fullmatch(word) is not None


def are_pairs(words: Sequence[str]) -> bool:
    """Tell whether the schema of the command is needed to read these arguments."""
    return any(_PAIR.fullmatch(word) for word in words)


def encode_arguments(words: Sequence[str], schema: Mapping[str, Any]) -> bytes:
    """Return the body of the call; `schema` says what pairs are taken for, and may be empty."""
    if not words:
        return b""
    if len(words) == 1 and _PAIR.fullmatch(words[0]) is None:
        return _document(words[0])
    arguments: dict[str, Any] = {}
    properties: Mapping[str, Any] = resolved(schema, schema.get("$defs", {})).get("properties", {})
    for word in words:
        pair = _PAIR.fullmatch(word)
        if pair is None:
            raise Unusable(f"'{word}' is no argument", _CURE)
        name, as_json = pair["name"], pair["sign"] == ":="
        kind = _Kind.of(properties.get(name, {}), schema.get("$defs", {}))
        value = _parsed(name, pair["value"]) if as_json else kind.read(pair["value"])
        _add(arguments, name, value, kind, as_json)
    return json.dumps(arguments, ensure_ascii=False).encode()


class _Kind:
    """What values a parameter takes, as far as reading a text for it goes."""

    def __init__(self, types: set[str], items: _Kind | None) -> None:
        self._types = types
        self._items = items

    @classmethod
    def of(cls, schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int = 0) -> _Kind:
        schema = resolved(schema, definitions)
        types, items = _types(schema, definitions), None
        if types - {"null"} == {"array"} and depth < 2:
            choices = [schema, *(resolved(c, definitions) for c in schema.get("anyOf", ()))]
            items = cls.of(next((c["items"] for c in choices if "items" in c), {}), definitions, depth + 1)
        return cls(types, items)

    @property
    def is_list(self) -> bool:
        return self._items is not None

    def read(self, text: str) -> Any:
        """Return text for a parameter that only takes text; otherwise what the text is in JSON, if it is JSON."""
        if text == "null" and "null" in self._types:
            return None
        if self._types and self._types <= {"string", "null"}:
            return text
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if self._items is None or isinstance(value, list):
            return value
        return [self._items.read(text)]


def _types(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int = 0) -> set[str]:
    """Return the JSON types that a schema admits; empty if it does not say."""
    schema = resolved(schema, definitions)
    if "type" in schema:
        return {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return {"string" if isinstance(v, str) else "other" for v in values}
    choices = [c for keyword in ("anyOf", "oneOf", "allOf") for c in schema.get(keyword, ())]
    found = [_types(choice, definitions, depth + 1) for choice in choices] if depth < 5 else []
    return set().union(*found) if found and all(found) else set()


def _add(arguments: dict[str, Any], name: str, value: Any, kind: _Kind, as_json: bool) -> None:
    if name not in arguments:
        arguments[name] = value
    elif kind.is_list and not as_json and isinstance(arguments[name], list):
        arguments[name] += value
    else:
        raise Unusable(f"argument '{name}' is given twice", "give it once; a list as JSON: name:='[1, 2]'")


def _document(word: str) -> bytes:
    text = word
    if word == "-":
        text = sys.stdin.read()
    elif word.startswith("@"):
        try:
            text = Path(word[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Unusable(f"cannot read {word[1:]}: {error}", "name a file of JSON") from None
    try:
        json.loads(text)
    except ValueError as error:
        raise Unusable(f"the arguments are not JSON: {error}", _CURE) from None
    return text.encode()


def _parsed(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unusable(f"argument '{name}' is not JSON: {error}", f"write {name}='...' for text") from None
