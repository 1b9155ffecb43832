"""The specification, the plugin manifest and the catalogues' pages of a service, as data.

Here a `ServiceContract` becomes OpenAPI 3.1, 3.0, the manifest and what else agents look for. Nothing here serves,
knows HTTP, or imports a web framework; PyYAML and openapi-pydantic are imported by the functions that need them.
"""

from __future__ import annotations

from service_kit.openapi.agents import AgentProblem as AgentProblem
from service_kit.openapi.agents import agent_problems as agent_problems
from service_kit.openapi.card import build_agent_card as build_agent_card
from service_kit.openapi.catalogs import Offered as Offered
from service_kit.openapi.catalogs import api_catalog as api_catalog
from service_kit.openapi.catalogs import llms_text as llms_text
from service_kit.openapi.document import build_specification as build_specification
from service_kit.openapi.downgrade import downgrade as downgrade
from service_kit.openapi.manifest import build_manifest as build_manifest
from service_kit.openapi.render import LINKSET_MEDIA_TYPE as LINKSET_MEDIA_TYPE
from service_kit.openapi.render import Document as Document
from service_kit.openapi.render import render_json as render_json
from service_kit.openapi.render import render_text as render_text
from service_kit.openapi.render import render_yaml as render_yaml
