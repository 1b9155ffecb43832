"""An HTTP API, every resource spelt out: one route for each of the service's.

Not SAM's `HttpApi`, which becomes an OpenAPI body that emulators do not import: what is tested is what is deployed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from service_kit.contract.cors import Cors
from service_kit.contract.security import Jwt
from service_kit.deploy.alarms import alarm
from service_kit.deploy.deployment import Deployment
from service_kit.deploy.functions import function_id, invocation_uri
from service_kit.deploy.naming import Names
from service_kit.deploy.planning import API_TIMEOUT_S, PlannedFunction
from service_kit.deploy.routes import ApiRoute
from service_kit.deploy.template import Output, Part, Resource
from service_kit.deploy.values import GetAtt, Ref, Sub, Value

API = "Api"
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def http_api_part(deployment: Deployment, routes: list[tuple[ApiRoute, PlannedFunction]]) -> Part:
    """Return the API with its stage, and what connects it to the functions."""
    names = Names()
    resources: dict[str, Resource] = {
        API: Resource("AWS::ApiGatewayV2::Api", _api(deployment)),
        "ApiStage": Resource("AWS::ApiGatewayV2::Stage", _stage(deployment)),
        "ApiAccessLogGroup": Resource("AWS::Logs::LogGroup", _access_logs(deployment)),
    }
    for connected in {function.name: function for _, function in routes}.values():
        resources |= _connection(connected)
    authorizers: dict[str, str] = {}
    for route, _ in routes:
        if isinstance(route.admission, Jwt) and route.admission.name not in authorizers:
            authorizers[route.admission.name] = names.take(route.admission.name, "Authorizer")
            resources[authorizers[route.admission.name]] = _authorizer(route.admission)
    for route, function in routes:
        resources[names.take(route.label, "Route")] = _route(route, function, authorizers)
    if deployment.options.alarms:
        resources["ApiFailures"] = alarm(
            "The API answered with 5xx: the service failed, or did not answer in time",
            ("AWS/ApiGateway", "5xx"),
            {"ApiId": Ref(API)},
        )
    return Part(resources, dict(_outputs()))


def _api(deployment: Deployment) -> Mapping[str, Value]:
    contract = deployment.contract
    properties: dict[str, Value] = {
        "Name": Ref("AWS::StackName"),
        "Description": contract.description.partition("\n")[0] or contract.title,
        "Version": contract.version,
        "ProtocolType": "HTTP",
    }
    if contract.cors is not None:
        properties["CorsConfiguration"] = _cors(contract.cors)
    return properties


def _cors(cors: Cors) -> Value:
    """Return the service's own rules: the API applies them itself, and drops what a function says of them."""
    return {
        "AllowOrigins": list(cors.origins),
        "AllowMethods": list(METHODS),
        "AllowHeaders": list(cors.headers),
        "ExposeHeaders": list(cors.expose_headers),
        "AllowCredentials": cors.credentials,
        "MaxAge": cors.max_age_s,
    }


def _stage(deployment: Deployment) -> Mapping[str, Value]:
    fields = ("requestId", "ip", "requestTime", "httpMethod", "path", "routeKey", "status", "responseLength")
    form = ",".join(f'"{field}":"$context.{field}"' for field in fields)
    settings: dict[str, Value] = {"DetailedMetricsEnabled": True}
    if deployment.options.requests_per_s is not None:
        settings["ThrottlingRateLimit"] = deployment.options.requests_per_s
        settings["ThrottlingBurstLimit"] = deployment.options.requests_per_s * 2
    return {
        "ApiId": Ref(API),
        "StageName": "$default",
        "AutoDeploy": True,
        "DefaultRouteSettings": settings,
        "AccessLogSettings": {
            "DestinationArn": GetAtt("ApiAccessLogGroup"),
            "Format": f'{{{form},"latency":"$context.responseLatency","error":"$context.error.message"}}',
        },
    }


def _access_logs(deployment: Deployment) -> Mapping[str, Value]:
    return {
        # This prefix keeps the policy of CloudWatch Logs from growing with each API, says its developer guide.
        "LogGroupName": Sub("/aws/vendedlogs/${AWS::StackName}/api"),
        "RetentionInDays": deployment.options.log_retention_days,
    }


def _connection(function: PlannedFunction) -> dict[str, Resource]:
    identity = function_id(function)
    source = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{API}}}/*/*"
    return {
        f"{function.name}Integration": Resource(
            "AWS::ApiGatewayV2::Integration",
            {
                "ApiId": Ref(API),
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": invocation_uri(function),
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": API_TIMEOUT_S["http"] * 1000,
            },
        ),
        f"{function.name}Permission": Resource(
            "AWS::Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": Ref(identity),
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": Sub(source),
            },
        ),
    }


def _authorizer(scheme: Jwt[Any]) -> Resource:
    return Resource(
        "AWS::ApiGatewayV2::Authorizer",
        {
            "ApiId": Ref(API),
            "Name": scheme.name,
            "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {"Issuer": scheme.issuer, "Audience": [scheme.audience]},
        },
    )


def _route(route: ApiRoute, function: PlannedFunction, authorizers: Mapping[str, str]) -> Resource:
    properties: dict[str, Value] = {
        "ApiId": Ref(API),
        "RouteKey": "$default" if route.catches_all else f"{route.method} {route.path}",
        "Target": Sub(f"integrations/${{{function.name}Integration}}"),
    }
    if route.admission == "iam":
        properties["AuthorizationType"] = "AWS_IAM"
    elif isinstance(route.admission, Jwt):
        properties["AuthorizationType"] = "JWT"
        properties["AuthorizerId"] = Ref(authorizers[route.admission.name])
    else:
        properties["AuthorizationType"] = "NONE"
    return Resource("AWS::ApiGatewayV2::Route", properties)


def _outputs() -> Iterator[tuple[str, Output]]:
    url = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
    yield "ApiId", Output("The HTTP API", Ref(API))
    yield "ApiUrl", Output("Where the service answers", Sub(url))
    yield "SpecificationUrl", Output("OpenAPI", Sub(f"{url}/openapi.json"))
    yield "ManifestUrl", Output("The plugin manifest", Sub(f"{url}/.well-known/ai-plugin.json"))
    yield "ApiAccessLogGroup", Output("Log group of the API's requests", Ref("ApiAccessLogGroup"))
