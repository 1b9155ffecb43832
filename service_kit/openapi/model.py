"""The specification as openapi-pydantic's model, for programs that edit it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openapi_pydantic import OpenAPI

from service_kit.contract.service import ServiceContract
from service_kit.openapi.document import build_specification


def specification_model(
    contract: ServiceContract, *, url: str | None, include_rpc: bool, raw: Mapping[str, Any] | None = None
) -> OpenAPI:
    """Return the OpenAPI 3.1 document as a model; arguments as of `build_specification`."""
    document = build_specification(contract, url=url, include_rpc=include_rpc, raw=raw)
    return OpenAPI.model_validate(document)
