"""Bytes of documents."""

from __future__ import annotations

import json

import pytest
import yaml

from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification, render_json, render_yaml
from tests.openapi.shop import CornerShop

DOCUMENT = build_specification(contract_of(CornerShop), url=None)


def test_json_is_compact_and_says_the_same() -> None:
    rendered = render_json(DOCUMENT)
    assert rendered.media_type == "application/json"
    assert json.loads(rendered.body) == DOCUMENT
    assert b'": ' not in rendered.body
    assert b"\n" not in rendered.body


def test_yaml_says_the_same_and_has_no_anchors() -> None:
    rendered = render_yaml(DOCUMENT)
    assert rendered.media_type == "application/yaml"
    assert yaml.safe_load(rendered.body) == DOCUMENT
    shared = {"a": 1}
    assert render_yaml([shared, shared]).body == b"- a: 1\n- a: 1\n"


@pytest.mark.parametrize(
    "text", ["1e3", "0o17", "0x1F", ".5", "12", "1.", "yes", "no", "null", "2024-01-01", "~", ""]
)
def test_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    body = render_yaml([text]).body
    assert body.startswith((b"- '", b'- "'))
    assert yaml.safe_load(body) == [text]


def test_the_tag_is_strong_and_follows_the_bytes() -> None:
    first, same, other = render_json({"a": 1}), render_json({"a": 1}), render_json({"a": 2})
    assert first == same
    assert first.etag != other.etag
    assert first.etag[0] == first.etag[-1] == '"'


def test_text_beyond_ascii_is_kept() -> None:
    assert render_json({"a": "über"}).body == '{"a":"über"}'.encode()
    assert "über".encode() in render_yaml({"a": "über"}).body


def test_a_number_that_json_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        render_json({"a": float("nan")})
