"""`service-kit mcp`: a service for desktop agents, which start their servers themselves and talk to them over pipes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.failures import CliError, Unusable
from service_kit.cli.options import Credentials, DatabaseOption, check_url

if TYPE_CHECKING:
    from service_kit.cli.callees import KeyPlace
    from service_kit.contract.exchange import Request
    from service_kit.contract.service import ServiceContract


@bundled
def mcp(
    service: Annotated[
        str | None,
        typer.Argument(
            metavar="[SERVICE]",
            help="The service to run: module:Service, path/to/file.py:Service, or just the module.",
            show_default=False,
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Connect the agent to the running service at this URL instead.")
    ] = None,
    database: DatabaseOption = None,
    *,
    credentials: Credentials,
) -> None:
    """Serve a service to a desktop agent, over stdin and stdout (MCP).

    The agent starts this command itself; tell it how in its configuration:

    [dim]{"mcpServers": {"orders": {"command": "service-kit", "args":
    \\["mcp", "/home/me/orders.py:Orders", "--database", "/home/me/orders.db"]}}}[/]

    Agents start it in a folder of their own: write whole paths. Commands are
    tools; so are workflows, which run in this process, and go on when it is
    started again. Logs go to stderr, and so does what the service prints.
    Agents that speak HTTP need no such process: every served service has MCP
    at /mcp. What the agent is admitted by, a key or a token, comes with the
    options below or their variables, not with its calls.

    [dim]service-kit mcp orders:Orders[/]
    [dim]service-kit mcp --url https://orders.example.com --bearer ...[/]
    """
    from service_kit.hosts.local.logs import configure_logs

    if (service is None) == (url is None):
        raise Unusable(
            "it is not clear what to serve" if service is None else "a service and a URL are two things",
            "name a service to run (service-kit mcp orders:Orders), or the URL of one that runs (--url)",
        )
    check_url(url)
    configure_logs(as_json=False)
    if service is not None:
        _run(service, database, credentials)
    else:
        _relay(url or "", credentials)


def _run(service: str, database: Path | None, credentials: Credentials) -> None:
    from service_kit.cli.targets import prepare_service
    from service_kit.hosts.local.host import LocalOptions
    from service_kit.hosts.local.logs import show_other_logs
    from service_kit.hosts.local.pipes import DRAIN_S, serve_over_pipes, served_alone
    from service_kit.hosts.local.tracebacks import format_failure
    from service_kit.http import HttpOptions

    # What a module prints when it is imported would be taken for messages.
    with contextlib.redirect_stdout(sys.stderr):
        prepared = prepare_service(
            service, database, LocalOptions(lease_s=10, drain_s=DRAIN_S), HttpOptions()
        )
    show_other_logs(as_json=False)
    application = prepared.application
    caller = _caller(application.application.contract, credentials)
    try:
        asyncio.run(serve_over_pipes(served_alone(application, caller)))
    except Exception as error:  # noqa: BLE001 - it is the user's code, and told
        raise CliError("the service did not start, or broke down", details=format_failure(error)) from None


def _relay(url: str, credentials: Credentials) -> None:
    from service_kit.cli.mcp_relay import relayed
    from service_kit.hosts.local.pipes import serve_over_pipes

    service = url.rstrip("/").removesuffix("/mcp")
    headers, query = credentials.headers(), b""
    if credentials.api_key:
        headers, query = _with_key(headers, asyncio.run(_key_place(service, headers)), credentials.api_key)
    endpoint = f"{service}/mcp{'?' if query else ''}{query.decode()}"
    try:
        asyncio.run(serve_over_pipes(relayed(endpoint, headers)))
    except Exception as error:  # noqa: BLE001 - the SDK lets through what its transport meets, in groups
        reason = _innermost(error)
        raise CliError(
            f"the service at {url} cannot be reached ({type(reason).__name__}: {reason})",
            "check the URL, that the service runs, and what admits you (--bearer, --api-key, --header)",
        ) from None


def _caller(contract: ServiceContract, credentials: Credentials) -> Request:
    """Return the request that every call of the agent comes with: a program of this machine, with these proofs."""
    from service_kit.cli.callees import KeyPlace
    from service_kit.contract.exchange import Request
    from service_kit.contract.security import ApiKey

    headers, query = credentials.headers(), b""
    schemes = [s for s in contract.schemes.values() if isinstance(s, ApiKey)]
    if credentials.api_key and not schemes:
        raise Unusable(f"service '{contract.name}' asks for no API key", "leave --api-key out")
    for scheme in schemes if credentials.api_key else ():
        place = KeyPlace(scheme.location, scheme.parameter)
        headers, asked = _with_key(headers, place, credentials.api_key or "")
        query = query or asked
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return Request("POST", "/mcp", query, lines, client=("127.0.0.1", 0))


def _with_key(headers: Mapping[str, str], place: KeyPlace, key: str) -> tuple[dict[str, str], bytes]:
    """Return headers and query with a key where the service wants it."""
    match place.location:
        case "header":
            return {**headers, place.name: key}, b""
        case "cookie":
            return {**headers, "cookie": f"{place.name}={key}"}, b""
        case "query":
            return dict(headers), f"{quote(place.name, safe='')}={quote(key, safe='')}".encode()


async def _key_place(url: str, headers: Mapping[str, str]) -> KeyPlace:
    """Return where a running service wants its key, as its specification says."""
    from client_kit.transports.httpx import HttpxTransport
    from service_kit.cli.callees import described_by_service

    transport = HttpxTransport()
    try:
        return (await described_by_service(transport, url, headers, "")).key_place
    finally:
        await transport.close()


def _innermost(error: BaseException) -> BaseException:
    """Return what a group of exceptions was about."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error
