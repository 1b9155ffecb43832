"""The example services as the tests deploy them: for the Python that runs here, which is what builds their code."""

from __future__ import annotations

import sys
from typing import cast

from plugins.orders.on_aws import on_aws
from plugins.todo.service import Todos
from service_kit.deploy import Deployment, DeploymentOptions
from service_kit.deploy.deployment import Runtime
from tests.aws.parcels import Parcels

RUNTIME = cast(Runtime, f"python3.{sys.version_info.minor}")

todos = Deployment(Todos, DeploymentOptions(runtime=RUNTIME))
rest_todos = Deployment(Todos, DeploymentOptions(runtime=RUNTIME, api="rest", validate_requests=True))
orders = on_aws(DeploymentOptions(runtime=RUNTIME, mcp=False))
parcels = Deployment(Parcels, DeploymentOptions(runtime=RUNTIME, mcp=False, environment={"PARCELS_KEY": "7"}))
