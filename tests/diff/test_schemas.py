"""Two schemas compared, where it is less than plain what they admit."""

from __future__ import annotations

from typing import Any

import pytest

from service_kit.diff import UnreadableDocument, compare
from tests.diff.documents import document, fields, messages, parameter, request, response, rules

TEXT = {"type": "string"}
CAT = fields(("kind",), kind={"const": "cat"}, lives={"type": "integer"})
DOG = fields(("kind",), kind={"const": "dog"}, name=TEXT)


def _named(**schemas: Any) -> dict[str, Any]:
    return {"components": {"schemas": schemas}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_recursive_schemas_are_compared_to_their_ends() -> None:
    tree = fields(children={"type": "array", "items": _ref("Tree")}, size={"type": "integer"})
    other = fields(children={"type": "array", "items": _ref("Node")}, size={"type": "integer"})
    wider = fields(children={"type": "array", "items": _ref("Tree")}, size={"type": "number"})
    old = response(_ref("Tree"), **_named(Tree=tree))
    assert rules(old, response(_ref("Node"), **_named(Node=other))) == set()
    assert rules(old, response(_ref("Tree"), **_named(Tree=wider))) == {("breaking", "type-widened")}


def test_components_that_need_each_other_are_compared() -> None:
    def made(kind: str) -> dict[str, Any]:
        return response(
            _ref("A"), **_named(A=fields(b=_ref("B")), B=fields(a=_ref("A"), size={"type": kind}))
        )

    assert messages(made("integer"), made("string")) == [
        "`make` gives `result.b.size` as text, no longer as a whole number: callers that expect a whole number fail"
    ]


def test_a_union_knows_its_members_by_their_tags() -> None:
    old = request({"oneOf": [_ref("Cat"), _ref("Dog")]}, **_named(Cat=CAT, Dog=DOG))
    more = fields(("kind", "name"), kind={"const": "dog"}, name=TEXT)
    new = request({"oneOf": [_ref("Hound"), _ref("Cat")]}, **_named(Cat=CAT, Hound=more))
    assert messages(old, new) == ["`make` now requires `name`: callers that leave it out are refused"]
    assert messages(old, request(_ref("Dog"), **_named(Dog=DOG))) == [
        "`make` no longer takes an object `Cat` for its body: callers that send it are refused"
    ]


def test_an_alternative_that_another_one_covers_is_not_missed() -> None:
    both = {"anyOf": [{"type": "integer"}, {"type": "number"}]}
    assert rules(request(both), request({"type": "number"})) == set()
    assert rules(request({"type": "number"}), request(both)) == set()


def test_all_of_says_what_its_parts_say_together() -> None:
    parts = {"allOf": [fields(size={"type": "integer", "minimum": 1}), {"required": ["size"]}]}
    whole = fields(("size",), size={"type": "integer", "minimum": 1})
    assert rules(request(parts), request(whole)) == set()
    assert rules(request(whole), request(parts)) == set()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "integer", "minimum": 4, "exclusiveMinimum": True},
            {"type": "integer", "exclusiveMinimum": 4},
        ),
        ({"type": "integer", "minimum": 4, "exclusiveMinimum": True}, {"type": "integer", "minimum": 5}),
        ({"type": "string", "enum": ["a"]}, {"type": "string", "const": "a"}),
        ({"type": "boolean"}, {"enum": [True, False]}),
    ],
)
def test_the_words_of_both_versions_mean_the_same(old: dict[str, Any], new: dict[str, Any]) -> None:
    before = {**request(fields(size=old)), "openapi": "3.0.3"}
    assert rules(before, request(fields(size=new))) == set()
    assert rules(request(fields(size=new)), before) == set()


def test_what_an_answer_gains_breaks_those_who_refuse_unknown_fields() -> None:
    assert rules(response(fields()), response(fields(size=TEXT))) == {
        ("breaking", "property-added-to-closed")
    }
    assert rules(
        response({"type": "object"}), response({"type": "object", "properties": {"size": TEXT}})
    ) == {("safe", "property-added")}


def test_a_field_is_judged_by_the_type_of_all_others() -> None:
    mapping = {"type": "object", "additionalProperties": {"type": "string"}}
    named = {**mapping, "properties": {"size": {"type": "integer"}}}
    assert rules(request(mapping), request(named)) == {("breaking", "type-changed")}
    assert rules(request(mapping), request({**mapping, "properties": {"size": TEXT}})) == set()


def test_formats_that_hold_others_widen() -> None:
    small, large = {"type": "integer", "format": "int32"}, {"type": "integer", "format": "int64"}
    assert rules(request(small), request(large)) == {("safe", "format-generalized")}
    assert rules(response(small), response(large)) == {("breaking", "format-generalized")}
    assert rules(request(large), request(small)) == {("breaking", "format-specialized")}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"type": "integer", "format": "int32"}, {"type": "integer"}, "any number"),
        ({"type": "string", "format": "date"}, TEXT, "any text"),
        ({"type": "integer"}, {"type": "integer", "maximum": 12345678901}, "at most 12345678901 "),
        ({"type": "number"}, {"type": "number", "exclusiveMinimum": 0.25}, "over 0.25 "),
        ({"type": "number", "multipleOf": 2}, {"type": "number", "multipleOf": 4}, "multiples of 4 "),
        ({"type": "string", "maxLength": 2}, {"type": "string", "maxLength": 1}, "at most 1 character for"),
        ({"type": "number", "multipleOf": 0}, {"type": "number", "multipleOf": 4}, "multiples of 4 "),
    ],
)
def test_limits_are_told_exactly(old: dict[str, Any], new: dict[str, Any], said: str) -> None:
    assert said in messages(request(fields(size=old)), request(fields(size=new)))[0]


def test_parameters_of_a_path_are_paired_by_their_positions() -> None:
    def made(path: str, name: str) -> dict[str, Any]:
        given = {"name": name, "in": "path", "required": True, "schema": TEXT}
        return document(
            paths={path: {"get": {"operationId": "find", "parameters": [given], "responses": {}}}}
        )

    assert rules(made("/a/{id}", "id"), made("/a/{key}", "key")) == {("breaking", "parameter-renamed")}


def test_a_body_that_is_new_is_told_by_its_fields_or_as_a_whole() -> None:
    opened = {"type": "object", "properties": {"size": TEXT}, "required": ["size"]}
    assert rules(document(), request(opened)) == {("breaking", "property-added-required")}
    assert rules(request(opened), document()) == {("breaking", "property-removed")}
    assert rules(document(), request(fields(size=TEXT), required=False)) == {("safe", "property-added")}
    assert rules(document(), request(fields(size=TEXT))) == {("breaking", "body-added")}
    assert rules(document(), request(TEXT, required=False)) == {("safe", "body-added")}


def test_a_parameter_written_in_another_form_breaks() -> None:
    lists = {"type": "array", "items": TEXT}
    assert rules(parameter(lists), parameter(lists, explode=False)) == {
        ("breaking", "parameter-style-changed")
    }
    assert rules(parameter(lists), parameter(lists, style="form", explode=True)) == set()


def test_a_webhook_is_judged_the_other_way_round() -> None:
    def made(schema: Any) -> dict[str, Any]:
        body = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
        return document(webhooks={"paid": {"post": {"operationId": "paid", **body, "responses": {}}}})

    assert rules(made({"type": "integer"}), made({"type": "number"})) == {("breaking", "type-widened")}
    assert rules(made({"type": "number"}), made({"type": "integer"})) == {("safe", "type-narrowed")}


def test_security_is_compared_by_what_it_asks_for_and_not_by_its_name() -> None:
    def made(name: str, header: str) -> dict[str, Any]:
        scheme = {"type": "apiKey", "in": "header", "name": header, "description": name}
        return document({"security": [{name: []}]}, components={"securitySchemes": {name: scheme}})

    assert rules(made("key", "X-Key"), made("apiKey", "X-Key")) == set()
    assert rules(made("key", "X-Key"), made("key", "x-key")) == set()
    assert rules(made("key", "X-Key"), made("key", "X-Other")) == {("breaking", "security-tightened")}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"swagger": "2.0"}, "no OpenAPI 3 document"),
        ({"openapi": "4.0"}, "its version is '4.0'"),
        (request({"$ref": "other.yaml#/A"}), "is another file; bundle"),
        (request({"$ref": "#A"}), "'#A' is no path in the document"),
        (request({"$ref": "#/components/schemas/A"}), "there is nothing at '#/components/schemas/A'"),
        (request(_ref("A"), **_named(A=_ref("B"), B=_ref("A"))), "leads to itself"),
        (request({"type": "object", "properties": ["size"]}), "does not keep to OpenAPI"),
        (document({"parameters": [None]}), "does not keep to OpenAPI"),
        (document(paths=["/things"]), "does not keep to OpenAPI"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_with_the_reason(broken: dict[str, Any], said: str) -> None:
    with pytest.raises(UnreadableDocument, match=said):
        compare(request(TEXT), broken)


def test_no_depth_and_no_tangle_of_components_is_too_much() -> None:
    count = 1500
    chain = {f"M{n}": fields(next=_ref(f"M{n + 1}"), size={"type": "integer"}) for n in range(count)}
    old = request(_ref("M0"), **_named(**chain, **{f"M{count}": fields(last={"type": "integer"})}))
    new = request(_ref("M0"), **_named(**chain, **{f"M{count}": fields(last=TEXT)}))
    assert rules(old, old) == set()
    assert rules(old, new) == {("breaking", "type-changed")}

    def tangle(last: int) -> dict[str, Any]:
        schemas: dict[str, Any] = {}
        for n in range(40):
            others = [{"oneOf": [_ref(f"T{(n * 7 + k * 11 + j) % 40}") for j in range(4)]} for k in range(3)]
            size = {"type": "string", "maxLength": last if n == 39 else 9}
            schemas[f"T{n}"] = fields(
                a=others[0], b=others[1], c={"type": "array", "items": others[2]}, size=size
            )
        return response(_ref("T0"), **_named(**schemas))

    assert rules(tangle(9), tangle(9)) == set()
    assert rules(tangle(9), tangle(5)) == {("safe", "limit-tightened")}
    assert rules(tangle(5), tangle(9)) == {("breaking", "limit-loosened")}
