"""A REST API: one resource that has the specification, with what leads to the functions written into it."""

from __future__ import annotations

from collections.abc import Iterator

from service_kit.deploy.alarms import alarm
from service_kit.deploy.deployment import Deployment
from service_kit.deploy.functions import function_id, invocation_uri
from service_kit.deploy.planning import API_TIMEOUT_S, PlannedFunction
from service_kit.deploy.rest_body import RestBody
from service_kit.deploy.routes import ApiRoute
from service_kit.deploy.template import Output, Part, Resource
from service_kit.deploy.values import Ref, Sub, Value
from service_kit.errors import DefinitionError

API = "Api"
STAGE = "live"


def rest_api_part(deployment: Deployment, routes: list[tuple[ApiRoute, PlannedFunction]]) -> Part:
    """Return the API, and the permissions to call the functions."""
    resources: dict[str, Resource] = {API: _api(deployment, routes)}
    for function in {function.name: function for _, function in routes}.values():
        resources[f"{function.name}Permission"] = _permission(function)
    if deployment.options.alarms:
        resources["ApiFailures"] = alarm(
            "The API answered with 5xx: the service failed, or did not answer in time",
            ("AWS/ApiGateway", "5XXError"),
            {"ApiName": Ref("AWS::StackName"), "Stage": STAGE},
        )
    return Part(resources, dict(_outputs()))


def _api(deployment: Deployment, routes: list[tuple[ApiRoute, PlannedFunction]]) -> Resource:
    options = deployment.options
    # All methods with details: metrics by method, and a limit if there is one.
    settings: dict[str, Value] = {"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True}
    if options.requests_per_s is not None:
        settings["ThrottlingRateLimit"] = options.requests_per_s
        settings["ThrottlingBurstLimit"] = options.requests_per_s * 2
    return Resource(
        "AWS::Serverless::Api",
        {
            "Name": Ref("AWS::StackName"),
            "StageName": STAGE,
            "OpenApiVersion": "3.0.1",
            "EndpointConfiguration": {"Type": "REGIONAL"},
            "TracingEnabled": options.tracing,
            "MethodSettings": [settings],
            "DefinitionBody": _body(deployment, routes),
        },
    )


def _body(deployment: Deployment, routes: list[tuple[ApiRoute, PlannedFunction]]) -> Value:
    body = RestBody(deployment.contract)
    preflights: dict[str, PlannedFunction] = {}
    for route, function in routes:
        if route.catches_all and any(r.path.startswith("/{") for r, _ in routes):
            raise DefinitionError(
                f"deployment of '{deployment.contract.name}'",
                "a REST API has no place for raw routes beside a path that begins with a parameter",
                'choose api="http"',
            )
        for path in ("/", "/{proxy+}") if route.catches_all else (route.path,):
            body.add(route.method, path, _integration(function), iam=route.admission == "iam")
            if deployment.contract.cors is not None and not route.catches_all:
                preflights.setdefault(path, function)
    for path, function in preflights.items():
        # Browsers ask without credentials, and the service answers them itself.
        body.add("OPTIONS", path, _integration(function))
    document: Value = body.document(validate=deployment.options.validate_requests)
    return document


def _integration(function: PlannedFunction) -> dict[str, Value]:
    return {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": invocation_uri(function),
        "timeoutInMillis": API_TIMEOUT_S["rest"] * 1000,
    }


def _permission(function: PlannedFunction) -> Resource:
    source = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{API}}}/{STAGE}/*"
    return Resource(
        "AWS::Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": Ref(function_id(function)),
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": Sub(source),
        },
    )


def _outputs() -> Iterator[tuple[str, Output]]:
    url = f"https://${{Api}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{STAGE}"
    yield "ApiId", Output("The REST API", Ref(API))
    yield "ApiUrl", Output("Where the service answers", Sub(url))
    yield "SpecificationUrl", Output("OpenAPI", Sub(f"{url}/openapi.json"))
    yield "ManifestUrl", Output("The plugin manifest", Sub(f"{url}/.well-known/ai-plugin.json"))
