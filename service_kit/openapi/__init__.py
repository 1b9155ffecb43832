"""The specification and the plugin manifest of a service, as data.

Here a `ServiceContract` becomes OpenAPI 3.1, 3.0 and the manifest. Nothing here serves, knows HTTP, or imports
a web framework; PyYAML and openapi-pydantic are imported by the functions that need them.
"""

from __future__ import annotations

from service_kit.openapi.agents import AgentProblem as AgentProblem
from service_kit.openapi.agents import agent_problems as agent_problems
from service_kit.openapi.document import build_specification as build_specification
from service_kit.openapi.downgrade import downgrade as downgrade
from service_kit.openapi.manifest import build_manifest as build_manifest
from service_kit.openapi.render import Document as Document
from service_kit.openapi.render import render_json as render_json
from service_kit.openapi.render import render_yaml as render_yaml
