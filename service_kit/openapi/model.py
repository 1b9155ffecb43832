"""The specification as openapi-pydantic's model, for programs that edit it."""

from __future__ import annotations

from openapi_pydantic import OpenAPI

from service_kit.contract.service import ServiceContract
from service_kit.openapi.document import build_specification


def specification_model(contract: ServiceContract, *, url: str | None, include_rpc: bool) -> OpenAPI:
    """Return the OpenAPI 3.1 document as a model."""
    return OpenAPI.model_validate(build_specification(contract, url=url, include_rpc=include_rpc))
