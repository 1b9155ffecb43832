"""Names of components: one for each schema, readable, legal."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel, create_model

from service_kit import Service, command
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification
from tests.openapi import shop, warehouse

T = TypeVar("T")
U = TypeVar("U")


class Tree(BaseModel):
    left: Tree | None = None
    right: Tree | None = None


class Even(BaseModel):
    next: Odd | None = None


class Odd(BaseModel):
    next: Even | None = None


class Priced(BaseModel):
    price: Decimal


class Basket(BaseModel):
    items: list[Priced]


class Loop(BaseModel):
    """Refers to itself and to something whose input and output differ."""

    inner: list[Loop] = []
    priced: Priced | None = None


class Pair(BaseModel, Generic[T, U]):
    first: T
    second: U


def components(*types: Any) -> dict[str, Any]:
    """Return the schemas of a service that takes and returns each of the types."""

    def make(taken: Any, at: int) -> Any:
        async def echo(value: taken) -> taken: ...

        echo.__name__ = f"echo_{at}"
        echo.__annotations__ = {"value": taken, "return": taken}
        return command(echo)

    class Echoes(Service):
        locals().update({f"echo_{at}": make(taken, at) for at, taken in enumerate(types)})

    found = dict(build_specification(contract_of(Echoes), url=None)["components"]["schemas"])
    del found["ProblemDetails"], found["InvalidInput"]
    return found


def test_a_model_that_goes_in_and_out_has_one_name() -> None:
    assert list(components(shop.Address, list[shop.Address])) == ["Address"]


def test_recursive_models_have_one_name() -> None:
    assert list(components(Tree)) == ["Tree"]
    assert sorted(components(Even)) == ["Even", "Odd"]


def test_input_and_output_are_told_apart_where_they_differ_and_only_there() -> None:
    found = components(Basket, Tree)
    assert sorted(found) == ["Basket-Input", "Basket-Output", "Priced-Input", "Priced-Output", "Tree"]
    items = found["Basket-Output"]["properties"]["items"]["items"]
    assert items == {"$ref": "#/components/schemas/Priced-Output"}


def test_a_recursive_model_whose_faces_differ_refers_to_its_own_face() -> None:
    found = components(Loop)
    for face in ("Input", "Output"):
        assert found[f"Loop-{face}"]["properties"]["inner"]["items"] == {
            "$ref": f"#/components/schemas/Loop-{face}"
        }


def test_models_of_one_name_are_told_apart_by_as_much_of_their_module_as_it_takes() -> None:
    found = components(shop.Order, warehouse.Order)
    assert {"shop_Order-Input", "shop_Order-Output", "warehouse_Order"} <= set(found)
    assert found["warehouse_Order"]["title"] == "Order"


def test_equal_models_of_one_name_are_one_component() -> None:
    one = create_model("Same", __module__="a.models", x=(int, ...))
    other = create_model("Same", __module__="b.models", x=(int, ...))
    assert list(components(one, other)) == ["Same"]


def test_modules_of_one_name_are_told_apart_by_their_packages() -> None:
    one = create_model("Order", __module__="a.models", x=(int, ...))
    other = create_model("Order", __module__="b.models", y=(int, ...))
    assert list(components(one, other)) == ["a_models_Order", "b_models_Order"]


def test_classes_that_nothing_tells_apart_are_numbered() -> None:
    models = [create_model("Local", __module__="m", **{field: (int, ...)}) for field in ("x", "y", "z")]  # type: ignore[call-overload]  # fields by name
    assert list(components(*models)) == ["Local", "Local_2", "Local_3"]


@pytest.mark.parametrize(
    ("generic", "name"),
    [
        (shop.Page[int], "Page_int"),
        (shop.Page[shop.Address], "Page_Address"),
        (shop.Page[list[shop.Page[str]]], "Page_list_Page_str"),
        (Pair[int, dict[str, shop.Address]], "Pair_int_dict_str_Address"),
    ],
)
def test_generics_have_legal_and_readable_names(generic: Any, name: str) -> None:
    found = components(generic)
    assert name in found
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", key) for key in found)


def test_a_generic_over_a_union_has_a_legal_name() -> None:
    for name in components(shop.Page[int | str | None], Pair[Literal["a b/c"], tuple[int, ...]]):
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]+", name)


def test_generics_over_models_of_one_name_are_told_apart() -> None:
    line: Any = create_model("Line", __module__="x.lines", z=(int, ...))
    found = components(shop.Page[shop.Line], shop.Page[line])
    pages = [name for name in found if "Page" in name]
    assert len(pages) == 3
    refs = {found[name]["properties"]["items"]["items"]["$ref"] for name in pages}
    assert len(refs) == 3


def test_every_reference_leads_somewhere() -> None:
    document = build_specification(contract_of(shop.CornerShop), url=None, include_rpc=True)
    for name in re.findall(r"#/components/schemas/([^'\"]+)", str(document)):
        assert name in document["components"]["schemas"]


def test_text_that_looks_like_a_reference_is_left_alone() -> None:
    odd = create_model("Odd2", __doc__="see \ue00099\ue001 and #/components/schemas/Odd2", x=(int, 1))
    assert components(odd)["Odd2"]["description"] == "see \ue00099\ue001 and #/components/schemas/Odd2"
