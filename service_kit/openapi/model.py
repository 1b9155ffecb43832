"""The specification as openapi-pydantic's model, for programs that edit it."""

from __future__ import annotations

from typing import Any

from openapi_pydantic import OpenAPI

from service_kit.contract.service import ServiceContract
from service_kit.openapi.document import build_specification


def specification_model(contract: ServiceContract, *, url: str | None, include_rpc: bool) -> OpenAPI:
    """Return the OpenAPI 3.1 document, raw routes included, as a model."""
    raw = _raw_specification(contract) if contract.routes else None
    document = build_specification(contract, url=url, include_rpc=include_rpc, raw=raw)
    return OpenAPI.model_validate(document)


def _raw_specification(contract: ServiceContract) -> dict[str, Any]:
    from fastapi import APIRouter, FastAPI  # needed by services with raw routes only, which have it

    application = FastAPI(title=contract.title)
    for router in contract.routes:
        assert isinstance(router, APIRouter)
        application.include_router(router)
    document: dict[str, Any] = application.openapi()
    return document
