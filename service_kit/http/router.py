"""From method and path to what answers."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote

E = TypeVar("E")


class _Node(Generic[E]):
    def __init__(self) -> None:
        self.literals: dict[str, _Node[E]] = {}
        self.parameter: _Node[E] | None = None
        self.endpoints: dict[str, tuple[E, tuple[str, ...]]] = {}


class Found(Generic[E]):
    """An endpoint, and what the path's parameters matched."""

    __slots__ = ("endpoint", "path_params")

    def __init__(self, endpoint: E, path_params: dict[str, str]) -> None:
        self.endpoint: E = endpoint
        self.path_params: dict[str, str] = path_params


class WrongMethod(NamedTuple):
    """The path exists, for other methods."""

    allowed: tuple[str, ...]


class Router(Generic[E]):
    """Routes by segments; literal segments win over parameters, and GET answers HEAD."""

    def __init__(self) -> None:
        self._root: _Node[E] = _Node()
        self._plain: dict[tuple[str, str], Found[E]] = {}

    def add(self, method: str, path: str, endpoint: E) -> None:
        """Route a method and a template to `endpoint`; the first one added for a route stays."""
        node, names = self._root, list[str]()
        for segment in path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        if method not in node.endpoints:
            node.endpoints[method] = (endpoint, tuple(names))
            if not names:
                self._plain[method, path] = Found(endpoint, {})

    def find(self, method: str, path: str, raw_path: bytes = b"") -> Found[E] | WrongMethod | None:
        """Return what answers; `raw_path` tells a slash inside a segment (`%2F`) from one between two."""
        slashes_inside = bool(raw_path) and b"%2f" in raw_path.lower()
        plain = None if slashes_inside else self._plain.get((method, path))
        if plain is not None:
            return plain
        if slashes_inside:
            segments = [unquote(part) for part in raw_path.decode("latin-1").split("/")[1:]]
        else:
            segments = path.split("/")[1:]
        allowed: dict[str, None] = {}
        found = self._walk(self._root, segments, (), method, allowed)
        if found is not None:
            return found
        return WrongMethod(tuple(allowed)) if allowed else None

    def _walk(
        self, node: _Node[E], rest: list[str], values: tuple[str, ...], method: str, allowed: dict[str, None]
    ) -> Found[E] | None:
        if not rest:
            found = node.endpoints.get(method) or (node.endpoints.get("GET") if method == "HEAD" else None)
            if found is None:
                allowed.update(dict.fromkeys(node.endpoints))
                return None
            return Found(found[0], dict(zip(found[1], values, strict=True)))
        segment, *others = rest
        literal = node.literals.get(segment)
        if literal is not None and (match := self._walk(literal, others, values, method, allowed)):
            return match
        if node.parameter is None or not segment:
            return None
        return self._walk(node.parameter, others, (*values, segment), method, allowed)
