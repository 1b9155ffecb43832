"""From a deployment to its template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

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
from service_kit.deploy.template import Output, Part, Template, joined
from service_kit.deploy.workers import durable_api_function, managing_function, subscriptions_of, tasks_of
from service_kit.errors import DefinitionError

RESOURCES_MOST, OUTPUTS_MOST = 500, 200
"""Of one stack: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""


def assemble(deployment: Deployment) -> Template:
    """Return the template of a deployment; raise DefinitionError for what AWS cannot run."""
    contract, options = deployment.contract, deployment.options
    made = joined(_parts(deployment))
    check_own(deployment, made)
    own = own_part(deployment)
    whole = joined(iter([made, own]))
    if len(whole.resources) > RESOURCES_MOST:
        raise DefinitionError(
            f"deployment of '{contract.name}'",
            f"it has {len(whole.resources)} resources, and CloudFormation makes {RESOURCES_MOST} in a stack",
            "choose functions='one' or alarms=False, or make two services of it",
        )
    return Template(
        f"{contract.title} {contract.version}: {contract.description.partition(chr(10))[0]}".rstrip(": "),
        PARAMETERS if options.alarms else {},
        CONDITIONS if options.alarms else {},
        whole.resources,
        _fitting(own.outputs, whole.outputs),
    )


def _fitting(own: Mapping[str, Output], all_: Mapping[str, Output]) -> Mapping[str, Output]:
    """Return as many outputs as a stack may have: of very many queues the last ones are not named."""
    return all_ if len(all_) <= OUTPUTS_MOST else dict(islice({**own, **all_}.items(), OUTPUTS_MOST))


def _parts(deployment: Deployment) -> Iterator[Part]:
    contract, options = deployment.contract, deployment.options
    found = gather(contract)
    durable = is_durable(found)
    workers = [*tasks_of(found, deployment), *subscriptions_of(found, deployment)] if durable else []
    functions = plan(deployment, {worker.stem for worker in workers})
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
