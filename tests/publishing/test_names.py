"""Names that a document holds and Python cannot: they are given others, and never written as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from service_kit.publishing.definitions import Class, Line, Method, Published, ServiceClass
from service_kit.publishing.document.read import Document
from service_kit.publishing.document.service import publish_document
from service_kit.publishing.expressions import NONE, builtin
from service_kit.publishing.package import write_package
from tests.publishing.packages import imported


def _document_of_a_problem(properties: dict[str, Any], **more: Any) -> Document:
    """Return a document with one operation, whose only error is this problem."""
    urn = {"type": {"const": "urn:problem-type:shop:Oops"}, "status": {"const": 409}}
    problem = {"type": "object", "properties": {**urn, **properties}, **more}
    responses = {
        "200": {"description": "done"},
        "409": {"description": "oops", "content": {"application/problem+json": {"schema": problem}}},
    }
    paths = {"/": {"get": {"operationId": "look", "responses": responses}}}
    return Document({"openapi": "3.1.0", "info": {"title": "Shop"}, "paths": paths})


def test_no_member_of_a_problem_becomes_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = 'x: int = print("PWNED")  # '
    package = imported(
        publish_document(_document_of_a_problem({evil: {"type": "integer"}}, required=[evil])), tmp_path
    )
    assert "PWNED" not in capsys.readouterr().out
    assert package.Oops.decode_fields({evil: 3}).fields() == {"x_int_print_pwned": 3}


def test_members_of_a_problem_keep_their_names_on_the_wire(tmp_path: Path) -> None:
    names = ("in-stock", "class", "args", "fields", "plain", "in_stock")
    text = {"type": "string"}
    document = _document_of_a_problem(dict.fromkeys(names, text), required=["in-stock", "args"])
    package = imported(publish_document(document), tmp_path)
    error = package.Oops.decode_fields({name: name for name in names} | {"new": "unknown"})
    told = {"in_stock": "in-stock", "class_": "class", "args_": "args", "fields_": "fields"}
    assert error.fields() == {**told, "plain": "plain", "in_stock_": "in_stock"}
    made = package.Oops(in_stock="yes", args_="a")
    assert (made.in_stock, made.args_, made.class_, made.status) == ("yes", "a", None, 409)


@pytest.mark.parametrize("name", ["x: int = print(1)  # ", "class", ""])
def test_a_name_that_is_none_in_python_is_never_written(name: str) -> None:
    found = Class("Oops", "", "errors", (), lines=(Line(name, builtin("int")),))
    method = Method("look", builtin("print"), (), NONE)
    service = ServiceClass("Shop", builtin("object"), (), "", (method,))
    with pytest.raises(ValueError, match="no name in Python"):
        write_package(Published(service, "1", {"error:Oops": found}))
    renamed = replace(service, methods=(replace(method, name=name),))
    with pytest.raises(ValueError, match="no name in Python"):
        write_package(Published(renamed, "1", {}))
