"""From a service to what runs it on AWS: a SAM template, a folder of code for its functions, and `sam` to deploy both.

Nothing here is imported by a service while it runs.
"""

from __future__ import annotations

from service_kit.deploy.deployment import Deployment, DeploymentOptions, FunctionOptions
from service_kit.deploy.permissions import Allow
from service_kit.deploy.template import Resource
from service_kit.deploy.values import GetAtt, Ref, Sub

__all__ = ["Allow", "Deployment", "DeploymentOptions", "FunctionOptions", "GetAtt", "Ref", "Resource", "Sub"]
