"""From a deployment to its template."""

from __future__ import annotations

from collections.abc import Iterator

from service_kit.contract.gather import gather
from service_kit.deploy.alarms import CONDITIONS, PARAMETERS
from service_kit.deploy.deployment import Deployment
from service_kit.deploy.functions import function_part
from service_kit.deploy.http_api import http_api_part
from service_kit.deploy.planning import PlannedFunction, plan
from service_kit.deploy.rest_api import rest_api_part
from service_kit.deploy.routes import ApiRoute, api_routes
from service_kit.deploy.template import Part, Template, joined
from service_kit.errors import DefinitionError


def assemble(deployment: Deployment) -> Template:
    """Return the template of a deployment; raise DefinitionError for what AWS cannot run."""
    _check_runnable(deployment)
    contract, options = deployment.contract, deployment.options
    whole = joined(_parts(deployment, plan(deployment)))
    return Template(
        f"{contract.title} {contract.version}: {contract.description.partition(chr(10))[0]}".rstrip(": "),
        PARAMETERS if options.alarms else {},
        CONDITIONS if options.alarms else {},
        whole.resources,
        whole.outputs,
    )


def _parts(deployment: Deployment, functions: list[PlannedFunction]) -> Iterator[Part]:
    options = deployment.options
    routes = _led(list(api_routes(deployment.contract, options.api, mcp=options.mcp)), functions)
    if options.api == "http":
        yield http_api_part(deployment, routes)
    else:
        yield rest_api_part(deployment, routes)
    for function in functions:
        yield function_part(deployment, function)


def _led(routes: list[ApiRoute], functions: list[PlannedFunction]) -> list[tuple[ApiRoute, PlannedFunction]]:
    """Return each route with the function that it leads to."""
    by_command = {declared.name: function for function in functions for declared in function.commands}
    return [(r, by_command[r.command.name] if r.command else functions[-1]) for r in routes]


def _check_runnable(deployment: Deployment) -> None:
    """Refuse what would be deployed and then not work."""
    found = gather(deployment.contract)
    durable = {
        "workflows": sorted(found.workflows),
        "tasks": sorted(found.tasks),
        "subscriptions": sorted(found.subscriptions),
    }
    named = [f"{kind} {', '.join(names)}" for kind, names in durable.items() if names]
    if named:
        raise DefinitionError(
            f"deployment of '{deployment.contract.name}'",
            f"it has {'; '.join(named)}, and these do not run on AWS yet: only commands do",
            "run the service on one machine (`service-kit start`), or deploy a service of its commands alone",
        )
