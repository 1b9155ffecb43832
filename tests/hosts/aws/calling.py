"""A way from the client to a Lambda handler, as an HTTP API takes it."""

from __future__ import annotations

import asyncio
import base64
import threading
from urllib.parse import urlsplit

from client_kit.transports.portal import AsyncOnly
from client_kit.wire import Request, Response
from service_kit.hosts.aws import LambdaHandler
from tests.hosts.aws.recorded import http_api_2

HOST = "api.localhost"
URL = f"https://{HOST}"


class LambdaTransport(AsyncOnly):
    """Call a handler for a program of this machine; one call at a time, as a function does."""

    def __init__(self, handler: LambdaHandler) -> None:
        super().__init__()
        self._handler = handler
        self._lock = threading.Lock()

    async def send(self, request: Request) -> Response:
        return await asyncio.to_thread(self._call, request)

    async def close_running_loop(self) -> None:
        """Nothing is open."""

    def _call(self, request: Request) -> Response:
        place = urlsplit(request.url)
        event = http_api_2(request.method, place.path, host=HOST, query=place.query)
        event["headers"] = {**request.headers, "host": HOST}
        event["requestContext"]["http"]["sourceIp"] = "127.0.0.1"
        event |= {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}
        with self._lock:
            answer = self._handler(event)
        body = answer["body"]
        content = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
        return Response(answer["statusCode"], answer["headers"], content)
