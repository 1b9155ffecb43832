"""An OpenAPI document, from a file or a URL."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.parse import unquote, urljoin

import httpx

Json: TypeAlias = dict[str, Any]

VERSIONS = ("3.0", "3.1")
FETCH_TIMEOUT_S = 30.0


class Unreadable(ValueError):
    """What is wrong with a document, and what to do about it."""

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__(f"{problem}; {cure}")
        self.problem = problem
        self.cure = cure


class Document:
    """A document whose references can be followed."""

    def __init__(self, members: Json, url: str | None = None) -> None:
        """Take the document, and the URL that it was fetched from."""
        self.members = members
        self.url = url

    def target(self, reference: str) -> Any:
        """Return what a reference points to; raise Unreadable for one that leads out of the document, or nowhere."""
        if not reference.startswith("#/"):
            raise Unreadable(
                f"'{reference}' leads out of the document", "bundle it into one file first (redocly bundle)"
            )
        found: Any = self.members
        for part in reference[2:].split("/"):
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(name)] if isinstance(found, list) else found[name]
            except (KeyError, IndexError, ValueError, TypeError):
                raise Unreadable(f"'{reference}' leads nowhere", "mend the document") from None
        return found

    def followed(self, value: Any) -> Json:
        """Return an object, or that which it refers to."""
        for _ in range(100):
            if not isinstance(value, dict):
                raise Unreadable(f"an object was expected instead of {value!r:.60}", "mend the document")
            members = cast(Json, value)
            if not isinstance(members.get("$ref"), str):
                return members
            value = self.target(members["$ref"])
        raise Unreadable("references go round in a circle", "mend the document")

    @property
    def server(self) -> str | None:
        """Where the service is, if the document says so in full."""
        servers: list[Any] = self.members.get("servers") or [{"url": "/"}]
        first: Mapping[str, Any] = servers[0]
        text = str(first.get("url", ""))
        for name, variable in first.get("variables", {}).items():
            text = text.replace(f"{{{name}}}", str(variable.get("default", "")))
        whole = urljoin(self.url, text) if self.url else text
        return whole.rstrip("/") if whole.startswith(("http://", "https://")) else None


def read_document(place: str) -> Document:
    """Return the document in a file or at a URL; raise Unreadable."""
    is_url = place.startswith(("http://", "https://"))
    text = _fetched(place) if is_url else _text(Path(place))
    members = _parsed(text)
    version = members.get("openapi")
    if "swagger" in members:
        raise Unreadable("it is Swagger 2.0", "convert it first, for example with swagger2openapi")
    if not isinstance(version, str) or not version.startswith(VERSIONS):
        raise Unreadable(
            f"its 'openapi' is {version!r}", f"give an OpenAPI document of {' or '.join(VERSIONS)}"
        )
    return Document(members, place if is_url else None)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}", "check the name of the file") from None
    except UnicodeDecodeError:
        raise Unreadable("it is no text in UTF-8", "give an OpenAPI document") from None


def _fetched(url: str) -> str:
    try:
        answer = httpx.get(url, timeout=FETCH_TIMEOUT_S, follow_redirects=True)
        answer.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise Unreadable(f"it answers {error.response.status_code}", "check the URL") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreadable(f"it cannot be fetched: {error}", "check the URL") from None
    return answer.text


def _parsed(text: str) -> Json:
    try:
        value: object = json.loads(text)
    except ValueError:
        value = _yaml(text)
    if not isinstance(value, dict):
        raise Unreadable("it is neither JSON nor YAML", "give an OpenAPI document")
    return cast(Json, value)


def _yaml(text: str) -> object:
    import yaml  # JSON needs no parser of the server's extra

    resolvers: dict[str, list[Any]] = yaml.SafeLoader.yaml_implicit_resolvers

    class Loader(yaml.SafeLoader):
        """Reads YAML 1.2's scalars: `on` and dates are texts, as they are to everybody else who reads the document."""

        yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own declaration
            first: [rule for rule in rules if not rule[0].endswith((":bool", ":timestamp"))]
            for first, rules in resolvers.items()
        }

    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:bool", re.compile("(?:true|false)$", re.IGNORECASE), "tTfF"
    )
    try:
        loaded: object = yaml.load(text, Loader)  # noqa: S506 - it is a safe one
    except yaml.YAMLError:
        return None
    plain: object = json.loads(json.dumps(loaded, default=str))  # with texts for keys, such as statuses
    return plain
