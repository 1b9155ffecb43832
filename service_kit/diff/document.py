"""An OpenAPI document as the comparison reads it: what `$ref` leads to, and which version's words it uses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote

Json: TypeAlias = Mapping[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


class UnreadableDocument(ValueError):
    """This is no document that can be compared; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, with what its path says for all of its operations."""

    method: str
    path: str
    value: Json
    shared: tuple[Any, ...]
    """Parameters of the whole path."""

    @property
    def id(self) -> str:
        return str(self.value.get("operationId") or "")

    @property
    def name(self) -> str:
        return self.id or f"{self.method.upper()} {self.path}"


class Document:
    """One side of a comparison."""

    def __init__(self, root: Json) -> None:
        version = root.get("openapi")
        if not isinstance(version, str) or not version.startswith(("3.0", "3.1", "3.2")):
            told = f"its version is {version!r}" if version else "it has no 'openapi'"
            raise UnreadableDocument(f"this is no OpenAPI 3 document: {told}")
        self.root = root
        self.is_30: bool = version.startswith("3.0")

    def follow(self, node: Any) -> Any:
        """Return what a reference leads to, through others; anything else as it is."""
        seen: set[str] = set()
        while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            ref = node["$ref"]
            if ref in seen:
                raise UnreadableDocument(f"the reference '{ref}' leads to itself")
            seen.add(ref)
            node = self.target(ref)
        return node

    def target(self, ref: str) -> Any:
        """Return what one reference names; raise UnreadableDocument for what is not in the document."""
        if not ref.startswith("#"):
            raise UnreadableDocument(f"'{ref}' is another file; bundle the document into one first")
        if not ref.startswith("#/"):
            raise UnreadableDocument(f"'{ref}' is no path in the document; write '#/components/...'")
        node: Any = self.root
        for part in ref[1:].split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and key.isdigit() and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, Mapping) and key in node:
                node = node[key]
            else:
                raise UnreadableDocument(f"there is nothing at '{ref}'")
        return node

    def operations(self) -> list[Operation]:
        return list(self._operations_in(self.root.get("paths")))

    def webhooks(self) -> list[Operation]:
        return list(self._operations_in(self.root.get("webhooks")))

    def security_of(self, operation: Operation) -> list[Json]:
        """Return the alternatives that admit a caller; empty: everybody is admitted."""
        return list(operation.value.get("security", self.root.get("security")) or [])

    def scheme(self, name: str) -> Json:
        schemes = (self.root.get("components") or {}).get("securitySchemes") or {}
        found: Json = self.follow(schemes.get(name, {}))
        return found

    def _operations_in(self, paths: Any) -> Iterator[Operation]:
        for path, item in (paths or {}).items():
            if path.startswith("x-"):
                continue
            item = self.follow(item) or {}
            for method in METHODS:
                if isinstance(item.get(method), Mapping):
                    yield Operation(method, path, item[method], tuple(item.get("parameters") or ()))


def canonical(value: Any) -> str:
    """Return one text for all spellings of a JSON value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
