"""The specification of a service: an OpenAPI 3.1 document, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from service_kit.contract.service import ServiceContract
from service_kit.openapi.fragment import Around, merge
from service_kit.openapi.operations import Face, faces_of
from service_kit.openapi.paths import Paths
from service_kit.openapi.problems import describe_problems, error_slot
from service_kit.openapi.responses import invalid_input
from service_kit.openapi.schemas import Json, Schemas, Wanted, generate
from service_kit.openapi.security import describe_schemes, requirements, scheme_names

OPENAPI_VERSION = "3.1.0"


def build_specification(
    contract: ServiceContract,
    *,
    url: str | None,
    include_rpc: bool = False,
    raw: Mapping[str, Any] | None = None,
) -> Json:
    """Return the OpenAPI 3.1 document of a service.

    `url` is where the service answers; without it servers are relative to the document. `raw` is a document, or
    its `paths` and `components`, of routes beside the commands: merged in, the commands going first.
    """
    faces = faces_of(contract, include_rpc=include_rpc)
    schemas = _generate(contract, faces)
    problems = describe_problems(contract, schemas)
    names = scheme_names(contract)
    paths = Paths()
    for face in faces:
        operation = face.operation(contract, schemas, problems, names)
        paths.add(face.route.path, face.route.method.lower(), operation)
    components: Json = {"schemas": {**schemas.components, **problems.components}}
    if names:
        components["securitySchemes"] = describe_schemes(contract)
    if raw is not None:
        merge(paths, components, raw, Around(requirements(contract.security, names), invalid_input(problems)))
    components["schemas"] = dict(sorted(components["schemas"].items()))
    return _assemble(contract, url, paths, components)


def _generate(contract: ServiceContract, faces: list[Face]) -> Schemas:
    wanted = [w for face in faces for w in face.wanted()]
    for error in contract.errors.values():
        core = TypeAdapter(error.fields_model()).core_schema
        wanted.append(Wanted(error_slot(error), core, "serialization", inline=True))
    return generate(wanted)


def _assemble(contract: ServiceContract, url: str | None, paths: Paths, components: Json) -> Json:
    info: Json = {"title": contract.title, "version": contract.version}
    if contract.description:
        info["description"] = contract.description
    document: Json = {
        "openapi": OPENAPI_VERSION,
        "info": info,
        # LangChain's reduce_openapi_spec fails without servers.
        "servers": [{"url": (url or "").rstrip("/") or "/"}],
        "paths": paths.items,
        "components": components,
    }
    if contract.security:
        document["security"] = requirements(contract.security, scheme_names(contract))
    operations = (op for item in paths.items.values() for op in item.values())
    tags = dict.fromkeys(tag for op in operations for tag in op.get("tags", ()))
    if tags:
        document["tags"] = [{"name": tag} for tag in tags]
    return document
