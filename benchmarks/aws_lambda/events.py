"""API Gateway events with every member that AWS sends for a proxy integration behind an ordinary client.

Shapes: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from typing import Any

HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
AGENT = "python-httpx/0.28.1"
HEADERS = {
    "accept": "*/*",
    "accept-encoding": "gzip, deflate",
    "content-type": "application/json",
    "host": HOST,
    "user-agent": AGENT,
    "x-amzn-trace-id": "Root=1-66f0a1b2-0123456789abcdef01234567",
    "x-forwarded-for": "192.0.2.10",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}


def event_of(payload: str, body: str) -> dict[str, Any]:
    """Return a POST to /orders in payload version 1.0 or 2.0."""
    return _event_1(body) if payload == "1.0" else _event_2(body)


def _event_2(body: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "POST /orders",
        "rawPath": "/orders",
        "rawQueryString": "",
        "headers": {**HEADERS, "content-length": str(len(body))},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": HOST,
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": "POST",
                "path": "/orders",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.10",
                "userAgent": AGENT,
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "POST /orders",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238000,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def _event_1(body: str) -> dict[str, Any]:
    headers = {**HEADERS, "Content-Length": str(len(body))}
    return {
        "version": "1.0",
        "resource": "/orders",
        "path": "/orders",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": HOST,
            "domainPrefix": "a1b2c3d4e5",
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "httpMethod": "POST",
            "identity": {"sourceIp": "192.0.2.10", "userAgent": AGENT},
            "path": "/prod/orders",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTime": "12/Mar/2026:19:03:58 +0000",
            "requestTimeEpoch": 1773342238000,
            "resourceId": "123456",
            "resourcePath": "/orders",
            "stage": "prod",
        },
        "body": body,
        "isBase64Encoded": False,
    }
