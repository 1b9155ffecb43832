"""LangChain's readers, unmodified, on both documents."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification, downgrade
from tests.openapi.shop import CornerShop

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the package is archived, and says so
    from langchain_community.agent_toolkits.openapi.spec import reduce_openapi_spec
    from langchain_community.tools.openapi.utils.api_models import APIOperation
    from langchain_community.utilities.openapi import OpenAPISpec

pytestmark = pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20")  # its own calls

DOCUMENT = build_specification(contract_of(CornerShop), url="https://shop.example.com")


def test_the_planner_s_summary_has_every_operation_with_its_description() -> None:
    reduced = reduce_openapi_spec(DOCUMENT)
    assert reduced.servers == [{"url": "https://shop.example.com"}]
    assert reduced.description.startswith("Sell things")
    assert len(reduced.endpoints) == len(contract_of(CornerShop).commands) - 1  # it leaves HEAD out
    assert all(description for _, description, _ in reduced.endpoints)


@pytest.mark.parametrize("document", [DOCUMENT, downgrade(DOCUMENT)], ids=["3.1.0", "3.0.3"])
def test_every_operation_is_read(document: dict[str, Any]) -> None:
    specification = OpenAPISpec.from_spec_dict(document)
    for path, item in document["paths"].items():
        for method, described in item.items():
            operation = APIOperation.from_openapi_spec(specification, path, method)
            assert operation.operation_id == described["operationId"]
            assert operation.to_typescript()


def test_optional_query_parameters_are_read_with_their_types() -> None:
    specification = OpenAPISpec.from_spec_dict(DOCUMENT)
    operation = APIOperation.from_openapi_spec(specification, "/orders", "get")
    read = {p.name: (p.type, p.required, p.default) for p in operation.properties}
    assert read["limit"] == ("integer", False, 20)
    assert read["since"][0] == "string"
    assert read["price"] == ("number", False, None)
