"""The two sides of a comparison: a module, a URL, a document, or a module or document at a revision of git."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service_kit.cli.failures import Unusable

_DOCUMENTS = (".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a service, as far as its side tells."""

    text: str
    """As it was named."""
    document: Mapping[str, Any]
    durable: Mapping[str, Any] | None = None
    """`describe_durable` of it; None for a document."""
    unfit: Mapping[str, tuple[str, str]] | None = None
    """Histories that do not replay: by file, the workflow and why; None where nothing can be replayed."""


def read_version(text: str, histories: Path | None) -> Version:
    """Read what a side names; raise Unusable with the cure."""
    if text.startswith(("http://", "https://")):
        return Version(text, _fetched(text))
    revision, rest = split_revision(text)
    if rest.endswith(_DOCUMENTS):
        return Version(text, _parsed(text, _read(revision, rest)))
    from service_kit.cli.revisions import checked_out
    from service_kit.cli.snapshot import take

    if revision is None:
        try:
            return Version(text, *take(text, rest, histories, None))
        except Unusable as error:
            first, _, second = text.partition(":")
            if second and f"there is no module '{first}'" in error.problem:
                raise Unusable(
                    error.problem, f"for a revision, name module and service: {first}:orders:Orders"
                ) from None
            raise
    with checked_out(revision) as checkout:
        return Version(text, *take(text, rest, histories, checkout))


def split_revision(text: str) -> tuple[str | None, str]:
    """Take a revision off: `main~3:orders:Orders`, `v1.2:openapi.json`, `HEAD:src/orders.py`.

    Of two parts only, the first one is a module, unless it cannot be one or the second one is a file.
    """
    first, colon, rest = text.partition(":")
    if not colon or not first or first.endswith(".py"):
        return None, text
    if ":" in rest:
        # A drive of Windows is one letter, and no revision that anybody has.
        return (None, text) if len(first) == 1 and rest[:1] in ("\\", "/") else (first, rest)
    is_file = rest.endswith((*_DOCUMENTS, ".py"))
    may_be_module = all(part.isidentifier() for part in first.split("."))
    if len(first) == 1 and rest[:1] in ("\\", "/"):
        return None, text
    return (first, rest) if is_file or not may_be_module else (None, text)


def _read(revision: str | None, place: str) -> bytes:
    if revision is not None:
        from service_kit.cli.revisions import shown

        return shown(revision, place)
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise Unusable(
            f"cannot read {place}: {error.strerror}", "name a file of an OpenAPI document"
        ) from None


def _fetched(url: str) -> Mapping[str, Any]:
    """Return the document at a URL, or that of the service there."""
    import httpx

    tried: list[str] = []
    for place in dict.fromkeys((url, f"{url.rstrip('/')}/openapi.json")):
        try:
            response = httpx.get(place, follow_redirects=True, timeout=30)
        except httpx.HTTPError as error:
            raise Unusable(
                f"cannot reach {place}: {error}", "start the service, or name a document"
            ) from None
        if response.is_success:
            try:
                return _parsed(place, response.content)
            except Unusable as error:
                tried.append(error.problem)
        else:
            tried.append(f"{place} answers {response.status_code}")
    raise Unusable("; ".join(tried), "name the URL of a service, or of its OpenAPI document")


def _parsed(text: str, content: bytes) -> Mapping[str, Any]:
    """Return an OpenAPI document from its JSON or YAML; raise Unusable."""
    document: Any
    try:
        document = json.loads(content)
    except ValueError:
        import yaml

        try:
            document = yaml.safe_load(content)
        except (yaml.YAMLError, UnicodeDecodeError):
            document = None
    if not isinstance(document, dict) or "openapi" not in document:
        raise Unusable(f"'{text}' is no OpenAPI document", "give one of version 3, as JSON or YAML")
    return document
