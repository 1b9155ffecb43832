"""Nulls of a union: which of them a model meant, and which strict mode made it write."""

from __future__ import annotations

from typing import Any

import pytest

from client_kit.tools import without_nulls


def _edit(op: str, value: Any, **more: Any) -> dict[str, Any]:
    properties = {"op": {"const": op}, "value": value, **more}
    return {"type": "object", "properties": properties, "required": ["op"]}


TEXT: dict[str, Any] = {"type": "string"}
SET = {**_edit("set", {"type": ["string", "null"]}), "required": ["op", "value"]}
TOUCH = _edit("touch", TEXT, deep={"type": "array", "items": _edit("leaf", TEXT)})
LOOSE = {"type": "object", "properties": {"value": {"anyOf": [TEXT, {"type": "null"}]}, "note": TEXT}}


@pytest.mark.parametrize(
    ("choices", "sent", "meant"),
    [
        ([SET, TOUCH], {"op": "set", "value": None}, {"op": "set", "value": None}),
        ([TOUCH, SET], {"op": "set", "value": None}, {"op": "set", "value": None}),
        ([SET, TOUCH], {"op": "touch", "value": None, "deep": None}, {"op": "touch"}),
        ([SET, LOOSE], {"value": None, "note": None}, {"value": None}),
        ([TOUCH, LOOSE], {"op": "touch", "value": None}, {"op": "touch", "value": None}),
        (
            [SET, {"anyOf": [TOUCH, {"type": "null"}]}],
            {"op": "touch", "deep": [{"op": "leaf", "value": None}]},
            {"op": "touch", "deep": [{"op": "leaf"}]},
        ),
        ([SET, {"$ref": "#/$defs/Round"}], {"op": "set", "value": None}, {"op": "set", "value": None}),
    ],
)
@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_of_a_union_a_null_stays_where_the_alternative_takes_it(
    keyword: str, choices: list[Any], sent: Any, meant: Any
) -> None:
    around = {"$ref": "#/$defs/Round"}
    schema = {
        "type": "object",
        "properties": {"edit": {keyword: choices}},
        "$defs": {"Round": {"anyOf": [around]}},
    }
    assert without_nulls(schema, {"edit": sent}) == {"edit": meant}
