"""The Lambda handler of a service's HTTP face."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from typing import Any, Protocol

from service_kit.contract.exchange import Request, Response
from service_kit.contract.service import AsgiMiddleware, Service, contract_of
from service_kit.hosts.aws.answers import AnswerTooLarge, collect, write_answer
from service_kit.hosts.aws.deferred import DeferredIdempotencyStore
from service_kit.hosts.aws.events import Event, payload_of, read_body, read_request
from service_kit.hosts.aws.loop import DeadlinePassed, InvocationLoop
from service_kit.http import Application, AsgiApplication, HttpOptions, access_log
from service_kit.http.application import Target
from service_kit.http.problems import KitProblem
from service_kit.http.router import Found, WrongMethod

logger: logging.Logger = logging.getLogger("service_kit.lambda")


class LambdaContext(Protocol):
    """What the handler reads of the context object that the Lambda runtime hands over."""

    @property
    def aws_request_id(self) -> str: ...

    def get_remaining_time_in_millis(self) -> int: ...


def lambda_handler(
    service: type[Service], options: HttpOptions | None = None, *, mount: str = ""
) -> LambdaHandler:
    """Return the Lambda handler of a service: `handler = lambda_handler(Orders)`.

    Takes events of API Gateway REST and HTTP APIs (payloads 1.0 and 2.0) and of Lambda function URLs.
    `mount` is the path prefix at which the API has the service, such as `/orders`, if it is not the root.
    The service's lifespan opens here, in the init phase; with SnapStart it opens with the first call after the restore.
    """
    application = Application(contract_of(service), options or HttpOptions(), DeferredIdempotencyStore())
    return LambdaHandler(application, mount=mount.rstrip("/"))


class LambdaHandler:
    """A callable for the Lambda runtime, with an event loop of its own that lives as long as the process.

    One call at a time, as Lambda does it. On SIGTERM the lifespan is closed and the process ends.
    """

    def __init__(self, application: Application, *, mount: str = "") -> None:
        self._application = application
        self._asgi = AsgiApplication(application)
        self._layered = any(isinstance(layer, AsgiMiddleware) for layer in application.contract.use)
        self._mount = mount
        self._limit_bytes = application.options.body_limit_bytes
        self._loop = InvocationLoop()
        self._busy = False
        self._terminated = False
        if application.contract.lifespan is not None:
            self._close_on_sigterm()
            # A snapshot must not hold connections.
            if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
                self._open_lifespan()

    def __call__(self, event: Event, context: LambdaContext | None = None) -> dict[str, Any]:
        """Answer an event; whatever goes wrong with it is an answer too. Raise UnknownEvent for one of another kind."""
        payload = payload_of(event)
        if not self._asgi.lifespan.opened:
            self._open_lifespan()
        self._busy = True
        try:
            try:
                request, raw_path = read_request(event, payload, self._mount)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                request, response = self._unreadable(error, context)
            else:
                request.request_id = self._request_id(request, context)
                response = self._answer(request, raw_path, event, context)
            return self._written(response, request, payload)
        finally:
            self._busy = False
            if self._terminated:
                self.close()

    def close(self) -> None:
        """Close the lifespan and the event loop; for tests, and for those who handle SIGTERM themselves."""
        if self._loop.is_closed():
            return
        try:
            self._loop.run_until_complete(self._asgi.lifespan.close())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    def _answer(
        self, request: Request, raw_path: bytes, event: Event, context: LambdaContext | None
    ) -> Response:
        started_s = time.perf_counter()
        application = self._application
        try:
            body = read_body(event, self._limit_bytes)
            if body is None:
                raise application.too_large()
            request.body = body
            if self._layered:
                return self._carried(request, raw_path, event, context)
            response = application.preflight(request)
            if response is None:
                found = application.find(request.method, request.path, raw_path)
                if application.raw is not None and not isinstance(found, Found):
                    return self._carried(request, raw_path, event, context)
                response = self._loop.run(self._handled(request, found), lambda: _remaining_s(context))
        except DeadlinePassed:
            logger.warning("request %s was given up shortly before the function's end", request.request_id)
            late = KitProblem(504, "timeout", "no answer within the time that the function has")
            response = application.refuse(request, late)
        except asyncio.CancelledError as error:
            cancelled = RuntimeError("the command cancelled its own task")
            cancelled.__cause__ = error
            response = application.refuse(request, cancelled)
        except (KitProblem, AnswerTooLarge) as error:
            response = application.refuse(request, error)
        if access_log.enabled():
            access_log.record(request, response.status, started_s)
        return response

    async def _handled(self, request: Request, found: Found[Target] | WrongMethod | None) -> Response:
        self._asgi.lifespan.variables.lend()
        response = await self._application.handle(request, found)
        if response.stream is not None:  # here, so that the stream is read in the command's own context
            response.body, response.stream = await collect(response.stream), None
        return response

    def _carried(
        self, request: Request, raw_path: bytes, event: Event, context: LambdaContext | None
    ) -> Response:
        # Imported with the first such request: Mangum is needed by nobody else.
        from service_kit.hosts.aws.raw import carry

        asyncio.set_event_loop(self._loop)  # the one that Mangum asks for
        invocation = {"aws.event": event, "aws.context": context}
        return carry(self._asgi, request, raw_path, invocation, _remaining_s(context))

    def _written(self, response: Response, request: Request, payload: Any) -> dict[str, Any]:
        with_body = request.method != "HEAD"
        try:
            return write_answer(response, payload, with_body=with_body)
        except AnswerTooLarge as error:
            refusal = self._application.refuse(request, error)
            return write_answer(refusal, payload, with_body=with_body)

    def _unreadable(self, error: Exception, context: LambdaContext | None) -> tuple[Request, Response]:
        """Answer an event that only looks like one of its kind: by hand, by a test or by another emulator."""
        request = Request("GET", "/", b"", [])
        request.request_id = self._request_id(request, context)
        logger.warning("request %s came in a malformed event", request.request_id, exc_info=error)
        problem = KitProblem(400, "malformed-request", "the event is not as API Gateway documents it")
        return request, self._application.refuse(request, problem)

    def _request_id(self, request: Request, context: LambdaContext | None) -> str:
        asked = request.header(b"x-request-id")
        if asked is not None and self._application.request_id(asked) == asked:
            return asked
        given: str | None = getattr(context, "aws_request_id", None)
        return given or self._application.request_id(None)

    def _open_lifespan(self) -> None:
        self._loop.run(self._asgi.lifespan.open(), lambda: None)

    def _close_on_sigterm(self) -> None:
        """Close the lifespan when Lambda ends the process, unless somebody else listens."""
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self, *_: object) -> None:
        if (
            self._busy or self._loop.is_running()
        ):  # the call is answered first; then the platform ends the process
            self._terminated = True
        else:
            self.close()
            sys.exit(0)


def _remaining_s(context: LambdaContext | None) -> float | None:
    ask = getattr(context, "get_remaining_time_in_millis", None)
    return None if ask is None else ask() / 1000
