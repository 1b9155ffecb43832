"""From a deployment to its template."""

from __future__ import annotations

from collections.abc import Iterator

from service_kit.contract.gather import gather
from service_kit.deploy.alarms import CONDITIONS, PARAMETERS
from service_kit.deploy.deployment import Deployment
from service_kit.deploy.durable import durable_functions, durable_parts, is_durable
from service_kit.deploy.functions import function_part
from service_kit.deploy.http_api import http_api_part
from service_kit.deploy.own import check_own, own_part
from service_kit.deploy.planning import PlannedFunction, plan
from service_kit.deploy.rest_api import rest_api_part
from service_kit.deploy.routes import ApiRoute, api_routes
from service_kit.deploy.template import Part, Template, joined
from service_kit.deploy.workers import durable_api_function, managing_function, subscriptions_of


def assemble(deployment: Deployment) -> Template:
    """Return the template of a deployment; raise DefinitionError for what AWS cannot run."""
    contract, options = deployment.contract, deployment.options
    made = joined(_parts(deployment))
    check_own(deployment, made)
    whole = joined(iter([made, own_part(deployment)]))
    return Template(
        f"{contract.title} {contract.version}: {contract.description.partition(chr(10))[0]}".rstrip(": "),
        PARAMETERS if options.alarms else {},
        CONDITIONS if options.alarms else {},
        whole.resources,
        whole.outputs,
    )


def _parts(deployment: Deployment) -> Iterator[Part]:
    contract, options = deployment.contract, deployment.options
    found = gather(contract)
    durable = is_durable(found)
    functions = plan(deployment)
    if durable:
        functions = [durable_api_function(function) for function in functions]
        functions[-1] = managing_function(functions[-1], subscriptions_of(found, deployment))
    routes = _led(list(api_routes(contract, options.api, mcp=options.mcp, durable=durable)), functions)
    if options.api == "http":
        yield http_api_part(deployment, routes)
    else:
        yield rest_api_part(deployment, routes)
    if durable:
        yield from durable_parts(deployment, found)
        functions += durable_functions(deployment, found)
    for function in functions:
        yield function_part(deployment, function)


def _led(routes: list[ApiRoute], functions: list[PlannedFunction]) -> list[tuple[ApiRoute, PlannedFunction]]:
    """Return each route with the function that it leads to."""
    by_command = {declared.name: function for function in functions for declared in function.commands}
    return [(r, by_command[r.command.name] if r.command else functions[-1]) for r in routes]
