"""REST routes: a method and a path template such as `/orders/{order_id}`."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias, get_args

from service_kit.errors import DefinitionError

Method: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

METHODS: frozenset[str] = frozenset(get_args(Method))
BODILESS: frozenset[str] = frozenset({"GET", "HEAD", "DELETE"})
IDEMPOTENT: frozenset[str] = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2: doing it twice is as doing it once."""

RPC_PREFIX = "/rpc/"

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LITERAL = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@]+")


class Route(NamedTuple):
    """A REST route; a parameter is one whole segment of the path."""

    method: Method
    path: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the path's parameters, from left to right."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def shape(self) -> tuple[str, str]:
        """What two routes have in common if no request can tell them apart."""
        return self.method, _PARAMETER.sub("{}", self.path)


def parse_route(where: str, method: str | None, path: str | None, default_path: str) -> Route | None:
    """Return the route of a command's options; None if it asked for none; raise DefinitionError if malformed."""
    if method is None and path is None:
        return None
    path = default_path if path is None else path
    verb = (method or "POST").upper()
    if verb not in METHODS:
        raise DefinitionError(
            where, f"method '{method}' is unknown", f"use one of {', '.join(sorted(METHODS))}"
        )
    _check_path(where, path)
    return Route(verb, path)  # type: ignore[arg-type]  # membership in METHODS was just checked


def _check_path(where: str, path: str) -> None:
    if not path.startswith("/"):
        raise DefinitionError(where, f"path '{path}' is relative", f"write '/{path}'")
    if path.startswith(RPC_PREFIX):
        raise DefinitionError(
            where,
            f"path '{path}' is under '{RPC_PREFIX}', where every command has its RPC route",
            "choose another",
        )
    names = _PARAMETER.findall(path)
    for name in {n for n in names if names.count(n) > 1}:
        raise DefinitionError(
            where, f"path '{path}' names '{name}' twice", "give each parameter its own name"
        )
    for segment in path[1:].split("/"):
        if segment and not _LITERAL.fullmatch(segment) and not _PARAMETER.fullmatch(segment):
            raise DefinitionError(
                where,
                f"segment '{segment}' of path '{path}' is neither plain text nor one '{{parameter}}'",
                "percent-encode nothing, and let a parameter be a whole segment",
            )
