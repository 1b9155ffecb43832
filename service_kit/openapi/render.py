"""Bytes of a document, canonical, so that equal documents have equal tags."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

JSON_MEDIA_TYPE = "application/json"
YAML_MEDIA_TYPE = "application/yaml"
"""RFC 9512."""
TEXT_MEDIA_TYPE = "text/plain; charset=utf-8"
LINKSET_MEDIA_TYPE = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
"""RFC 9264, with the profile of RFC 9727."""

_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")
"""Texts that YAML 1.2 (section 10.3.2) reads as numbers, some of which YAML 1.1 does not."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document ready to serve."""

    media_type: str
    body: bytes
    etag: str
    """A strong entity tag (RFC 9110 section 8.8.3), its quotes included."""


def render_json(data: Any, media_type: str = JSON_MEDIA_TYPE) -> Document:
    """Return the document as compact JSON; raise ValueError for a number that JSON does not have."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _document(media_type, text.encode())


def render_text(text: str) -> Document:
    return _document(TEXT_MEDIA_TYPE, text.encode())


def render_yaml(data: Any) -> Document:
    """Return the document as YAML that readers of 1.1 and of 1.2 take for the same; needs PyYAML."""
    import yaml

    text = yaml.dump(data, Dumper=_dumper(), allow_unicode=True, sort_keys=False, width=100)
    return _document(YAML_MEDIA_TYPE, text.encode())


@cache
def _dumper() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml is not compiled in everywhere

    class Dumper(base):  # type: ignore[misc]  # the base is chosen at run time
        def ignore_aliases(self, data: Any) -> bool:
            return True  # one schema shared by two operations is still written twice

    def represent_text(dumper: Any, text: str) -> Any:
        style = "'" if _NUMBER.fullmatch(text) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent_text)
    return Dumper


def _document(media_type: str, body: bytes) -> Document:
    return Document(media_type, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
