"""What is different on AWS: told by `service-kit sam`, since no template shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from service_kit.contract.gather import Declarations, gather
from service_kit.contract.security import ApiKey, AwsIam, Jwt
from service_kit.deploy.deployment import Deployment
from service_kit.deploy.planning import API_TIMEOUT_S
from service_kit.deploy.routes import api_routes
from service_kit.deploy.workers import TASK_TIMEOUT_S


def notes_on(deployment: Deployment) -> Iterator[str]:
    """Find what behaves otherwise than it does on one machine."""
    contract, api = deployment.contract, deployment.options.api
    limit_s = API_TIMEOUT_S[api]
    for declared in contract.commands.values():
        own_s = declared.options.get("timeout_s", 0)
        if own_s > limit_s:
            yield (
                f"command '{declared.name}' may take {own_s:g} s, and API Gateway waits "
                f"{limit_s} s; let it start a workflow, and its callers ask for the result"
            )
        if declared.streaming:
            yield (
                f"command '{declared.name}' streams; API Gateway collects the answer, and sends it when the stream ends"
            )
    yield from _on_workers(gather(contract))
    checked = {
        r.admission.name
        for r in api_routes(contract, api, mcp=False, durable=False)
        if isinstance(r.admission, Jwt)
    }
    for scheme in contract.schemes.values():
        if isinstance(scheme, AwsIam) or scheme.name in checked:
            continue
        if isinstance(scheme, Jwt) and api == "http":
            yield (
                f"scheme '{scheme.name}' is checked by the function alone: an HTTP API's authorizer takes RSA "
                "signatures and finds keys by the issuer; name jwks_url and algorithms=['RS256'] to have it check first"
            )
        elif isinstance(scheme, ApiKey | Jwt):
            yield f"scheme '{scheme.name}' is checked by the function, and not by API Gateway"
    if contract.security == () and contract.commands:
        yield "everybody who knows the URL may call; give the service security=[...] unless it is meant to be open"


def _on_workers(found: Declarations) -> Iterator[str]:
    for kind, declared in (("task", found.tasks), ("subscription", found.subscriptions)):
        for name, one in declared.items():
            options: Mapping[str, Any] = dict(one.definition)
            limit_s: float = options.get("timeout_s", 0)
            if options.get("concurrency") == 1:
                yield f"{kind} '{name}' may run once at a time; Lambda takes two from a queue at least"
            if limit_s > TASK_TIMEOUT_S:
                yield (
                    f"{kind} '{name}' may take {limit_s:g} s, and Lambda ends functions after "
                    f"{TASK_TIMEOUT_S} s; divide it, or have a task completed from outside by its token"
                )
            if "rate_per_s" in options:
                yield (
                    f"{kind} '{name}' has a rate, which each host keeps for itself; Lambda runs as many processes "
                    "as there is work: give it a concurrency"
                )
