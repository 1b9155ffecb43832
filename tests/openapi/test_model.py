"""The specification as an editable model."""

from __future__ import annotations

from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification
from tests.openapi.shop import CornerShop


def test_the_model_is_the_document_to_edit() -> None:
    model = CornerShop.specification(url="https://shop.example.com", include_rpc=True)
    assert model.openapi == "3.1.0"
    assert model.paths is not None
    operation = model.paths["/orders/{order_id}"].get
    assert operation is not None
    assert operation.operationId == "get_order"
    model.info.title = "Edited"
    dumped = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    expected = build_specification(contract_of(CornerShop), url="https://shop.example.com", include_rpc=True)
    assert dumped["info"]["title"] == "Edited"
    assert dumped["paths"].keys() == expected["paths"].keys()
    assert dumped["components"]["schemas"].keys() == expected["components"]["schemas"].keys()
