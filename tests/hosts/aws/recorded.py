"""Events with every member that AWS sends, in the shapes of its documentation; identifiers are invented.

REST API: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
HTTP API: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
Function URL: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

API_HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
URL_HOST = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-west-1.on.aws"
CUSTOM_HOST = "api.example.com"
USER_ARN = "arn:aws:iam::123456789012:user/anna"

Event = dict[str, Any]


def rest_api(
    method: str,
    path: str,
    *,
    resource: str = "/{proxy+}",
    host: str = API_HOST,
    query: str = "",
    **members: Any,
) -> Event:
    """Return an event of a REST API with stage `prod`; on a custom domain `path` holds the base path mapping."""
    at_home = ".execute-api." in host
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Host": host,
        "User-Agent": "python-httpx/0.28.1",
        "X-Amzn-Trace-Id": "Root=1-66f0a1b2-0123456789abcdef01234567",
        "X-Forwarded-For": "192.0.2.10",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    repeated = parse_qs(query, keep_blank_values=True)
    proxy = path.strip("/") if resource == "/{proxy+}" and at_home else None
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in repeated.items()} or None,
        "multiValueQueryStringParameters": repeated or None,
        "pathParameters": {"proxy": proxy} if proxy else None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "httpMethod": method,
            "identity": {
                "accessKey": None,
                "accountId": None,
                "caller": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": "192.0.2.10",
                "user": None,
                "userAgent": "python-httpx/0.28.1",
                "userArn": None,
            },
            "path": f"/prod{path}" if at_home else path,
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTime": "12/Mar/2026:19:03:58 +0000",
            "requestTimeEpoch": 1773342238000,
            "resourceId": "123456",
            "resourcePath": resource,
            "stage": "prod",
        },
        "body": None,
        "isBase64Encoded": False,
        **members,
    }


def http_api_1(method: str, path: str, *, stage: str = "$default", **members: Any) -> Event:
    """Return an event of an HTTP API whose integration asks for payload 1.0; a stage is part of the path."""
    event = rest_api(method, path, resource="$default", **members)
    full = path if stage == "$default" else f"/{stage}{path}"
    event |= {"version": "1.0", "path": full, "pathParameters": None}
    event["requestContext"] |= {
        "authorizer": {"claims": None, "scopes": None},
        "path": full,
        "resourceId": None,
        "resourcePath": "$default",
        "stage": stage,
    }
    return event


def http_api_2(
    method: str, path: str, *, stage: str = "$default", host: str = API_HOST, query: str = "", **members: Any
) -> Event:
    """Return an event of an HTTP API with payload 2.0; a stage other than `$default` is part of the path."""
    full = path if stage == "$default" else f"/{stage}{path}"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": full,
        "rawQueryString": query,
        "headers": {
            "accept": "*/*",
            "content-length": "0",
            "content-type": "application/json",
            "host": host,
            "user-agent": "python-httpx/0.28.1",
            "x-amzn-trace-id": "Root=1-66f0a1b2-0123456789abcdef01234567",
            "x-forwarded-for": "192.0.2.10",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": method,
                "path": full,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.10",
                "userAgent": "python-httpx/0.28.1",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": stage,
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238000,
        },
        "isBase64Encoded": False,
        **members,
    }


def function_url(method: str, path: str, **members: Any) -> Event:
    """Return an event of a Lambda function URL: payload 2.0, and a path as the caller encoded it."""
    event = http_api_2(method, path, host=URL_HOST, **members)
    event["requestContext"] |= {"accountId": "anonymous", "apiId": URL_HOST.partition(".")[0]}
    return event


SOURCES: dict[str, Callable[..., Event]] = {
    "REST API": rest_api,
    "HTTP API 1.0": http_api_1,
    "HTTP API 2.0": http_api_2,
    "function URL": function_url,
}
