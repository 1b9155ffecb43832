"""How the command line makes a call: prepare, send through a transport of the client, show."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from client_kit.errors import AnswerTooLarge, InvalidOption, NetworkError
from client_kit.options import CallOptions, ClientOptions
from client_kit.sse import EventParser
from client_kit.transports import Transport
from client_kit.url import command_url, parse_url
from client_kit.wire import AsyncBody, Request, Response
from service_kit.cli.answers import show_answer, show_json, stream_failure
from service_kit.cli.arguments import are_pairs, encode_arguments, is_argument
from service_kit.cli.callees import Callee, described_by_contract, described_by_service
from service_kit.cli.failures import CliError, Unusable
from service_kit.cli.options import Credentials
from service_kit.cli.targets import create_application, prepare_service

if TYPE_CHECKING:
    from service_kit.http import AsgiApplication

IN_PROCESS = "http://in-process"
DEFAULT_TIMEOUT_S = 30.0
TOLD_TIMEOUT_S = 1e6
"""A longer one, `inf` even, is the same as none to the service."""
SILENCE_S = 60.0
"""Of a stream that is taken for lost: a service sends a heartbeat every 15 s."""
MAX_BYTES = 64 * 1024 * 1024
"""Of an answer, or of one item of a stream."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    words: tuple[str, ...]
    url: str | None
    database: Path | None
    """Of a durable service that is called in this process; None: its own file."""
    credentials: Credentials
    timeout_s: float | None
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class _Call:
    """A wish, understood."""

    transport: Transport
    url: str
    headers: Mapping[str, str]
    command: str
    arguments: tuple[str, ...]
    callee: Callee | None
    """None: nothing is known of the command but its name."""
    api_key: str | None
    timeout_s: float | None


def perform(wish: Wish) -> None:
    """Make the call and print what comes back; raise CliError."""
    try:
        call = _understand(wish)
        asyncio.run(_perform(call))
    except InvalidOption as error:
        raise Unusable(f"{error.option} {error.problem}", error.cure) from None
    except AnswerTooLarge as error:
        raise CliError(f"the answer is larger than {error.limit} bytes", "ask for less") from None
    except NetworkError as error:
        cure = "check the URL, and that the service runs" if wish.url is not None else ""
        raise CliError(error.reason, cure) from None


def _understand(wish: Wish) -> _Call:
    target, command, arguments = _parts(wish)
    if wish.url is not None and wish.database is not None:
        raise Unusable("--database is for a call in this process", "leave it out, or --url")
    url = parse_url(wish.url) if wish.url is not None else IN_PROCESS
    application = _application(target, wish) if target is not None else None
    callee = None
    if application is not None:
        callee = described_by_contract(application.application.contract, command)
    transport: Transport
    if application is not None and wish.url is None:
        from client_kit.transports.asgi import InProcessTransport
        from service_kit.hosts.local.logs import configure_logs

        configure_logs(as_json=False)
        logging.getLogger("service_kit").setLevel(logging.WARNING)
        logging.getLogger("service_kit.host").setLevel(
            logging.INFO
        )  # it may have to wait for tasks in the end
        transport = InProcessTransport(application)
    else:
        from client_kit.transports.httpx import HttpxTransport

        transport = HttpxTransport()
    api_key = wish.credentials.api_key or None  # an empty variable is none
    return _Call(transport, url, _headers(wish), command, arguments, callee, api_key, wish.timeout_s)


def _application(target: str, wish: Wish) -> AsgiApplication:
    """Return the service to call, or, with a URL, to learn from; here it is all of it, on its file if it is durable."""
    if wish.url is not None:
        return create_application(target)
    from service_kit.hosts.local.host import LocalOptions
    from service_kit.http import HttpOptions

    return prepare_service(target, wish.database, LocalOptions(), HttpOptions()).application


def _parts(wish: Wish) -> tuple[str | None, str, tuple[str, ...]]:
    """Return target, command and arguments; without a target the URL alone says where."""
    first, *rest = wish.words
    if wish.url is not None and (not rest or is_argument(rest[0])):
        return None, first, tuple(rest)
    if not rest or is_argument(rest[0]):
        raise Unusable(
            "the command is missing",
            f"name it after the service: service-kit call {first} <command>; `service-kit routes {first}` lists them",
        )
    return first, rest[0], tuple(rest[1:])


def _headers(wish: Wish) -> dict[str, str]:
    """Return what is sent with every request; raise Unusable or InvalidOption."""
    options = CallOptions(timeout_s=wish.timeout_s, idempotency_key=wish.idempotency_key)
    return {**ClientOptions(headers=wish.credentials.headers()).headers, **options.headers()}


async def _perform(call: _Call) -> None:
    limit_s = call.timeout_s or DEFAULT_TIMEOUT_S
    deadline = asyncio.timeout(limit_s)
    try:
        async with deadline:
            callee = call.callee
            if callee is None and (call.api_key is not None or are_pairs(call.arguments)):
                callee = await _ask(call)
            response = await call.transport.send(_request(call, callee or Callee(call.command)))
            if response.stream is not None:
                if call.timeout_s is None:
                    deadline.reschedule(None)
                await _show_stream(response)
            elif _unknown_there(response):
                await _explain(call, callee)
            else:
                show_answer(response)
    except TimeoutError:
        if not deadline.expired():
            raise
        raise CliError(f"no answer within {limit_s:g} s", "give it longer: --timeout 120") from None
    finally:
        await _close(call.transport)


async def _close(transport: Transport) -> None:
    """Close the transport, and with it the lifespan of a service in this process, which may fail."""
    from service_kit.hosts.local.tracebacks import format_failure

    try:
        await transport.close()
    except Exception as error:  # noqa: BLE001 - it is the user's code, and told
        raise CliError("the service's lifespan failed", details=format_failure(error)) from None


async def _ask(call: _Call) -> Callee:
    return await described_by_service(call.transport, call.url, call.headers, call.command)


def _request(call: _Call, callee: Callee) -> Request:
    headers = {
        **call.headers,
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
    }
    url = command_url(call.url, call.command)
    if call.timeout_s is not None and call.timeout_s < TOLD_TIMEOUT_S:
        headers["request-timeout-ms"] = str(max(1, int(call.timeout_s * 1000)))
    if call.api_key is not None:
        place = callee.key_place
        match place.location:
            case "query":
                url += f"?{quote(place.name, safe='')}={quote(call.api_key, safe='')}"
            case "cookie":
                headers |= ClientOptions(headers={"cookie": f"{place.name}={call.api_key}"}).headers
            case "header":
                headers |= ClientOptions(headers={place.name: call.api_key}).headers
    body = encode_arguments(call.arguments, callee.schema)
    return Request(url, headers, body, streaming=True, max_answer_bytes=MAX_BYTES)


def _unknown_there(response: Response) -> bool:
    return response.status == 404 and b"urn:problem-type:service-kit:not-found" in response.body


async def _explain(call: _Call, callee: Callee | None) -> None:
    """Raise CliError for a command that the service at the URL does not have."""
    known = callee if callee is not None and call.callee is None else await _ask(call)
    cure = known.near_names() or "check the URL and the command's name"
    raise CliError(f"the service at {call.url} has no command '{call.command}'", cure)


async def _show_stream(response: Response) -> None:
    """Print items as they come; raise CliError if the stream ends with an error, or without an end."""
    body = cast(AsyncBody, response.stream)  # `send` opens async ones
    items = 0
    parser = EventParser(MAX_BYTES)
    try:
        while chunk := await _read(body):
            for event in parser.feed(chunk):
                match event.kind:
                    case "end":
                        return
                    case "error":
                        raise stream_failure(event.data)
                    case _:
                        items += 1
                        show_json(event.data, indented=False)
    finally:
        await body.close()
    raise CliError(f"the stream was cut after {items} items", "call again")


async def _read(body: AsyncBody) -> bytes:
    silence = asyncio.timeout(SILENCE_S)
    try:
        async with silence:
            return await body.read()
    except TimeoutError:
        if not silence.expired():
            raise
        raise CliError(
            f"the stream was silent for {SILENCE_S:g} s, without a heartbeat", "call again"
        ) from None
