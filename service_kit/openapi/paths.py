"""The paths of a document: operations under templates, no two of which are the same to a router."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from service_kit.openapi.schemas import Json

_PARAMETER = re.compile(r"\{([^{}]*)\}")


class Paths:
    """Path items under construction."""

    def __init__(self) -> None:
        self.items: Json = {}
        self._by_shape: dict[str, str] = {}

    def add(self, template: str, method: str, operation: Mapping[str, Any]) -> bool:
        """Put an operation under its path; return False if the method is taken there.

        OpenAPI holds `/orders/{id}` and `/orders/{order_id}` for one path: the second operation moves to the
        template of the first, where its parameter, which travels by position, takes the other name.
        """
        known = self._by_shape.setdefault(_PARAMETER.sub("{}", template), template)
        item = self.items.setdefault(known, {})
        if method in item:
            return False
        item[method] = _renamed(operation, template, known)
        return True


def _renamed(operation: Mapping[str, Any], template: str, known: str) -> Json:
    if template == known:
        return dict(operation)
    names = dict(zip(_PARAMETER.findall(template), _PARAMETER.findall(known), strict=True))
    parameters = [
        {**p, "name": names.get(p["name"], p["name"])} if p.get("in") == "path" else p
        for p in operation.get("parameters", ())
    ]
    return {**operation, "parameters": parameters} if parameters else dict(operation)
