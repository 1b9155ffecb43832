"""`service-kit openapi` and `service-kit manifest`: the documents as the service would serve them."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from service_kit.cli.failures import CliError
from service_kit.cli.options import LOCAL_URL, TargetArgument, check_url


class Format(StrEnum):
    """Of a document."""

    JSON = "json"
    YAML = "yaml"


class Version(StrEnum):
    """Of OpenAPI."""

    V3_1 = "3.1"
    V3_0 = "3.0"


class Kind(StrEnum):
    """Of what catalogues read."""

    PLUGIN = "plugin"
    LLMS = "llms.txt"
    CATALOG = "api-catalog"
    CARD = "agent-card"


UrlOption: TypeAlias = Annotated[
    str | None,
    typer.Option(help="The service's public URL. Default: where the document is served, or dev's URL."),
]
OutputOption: TypeAlias = Annotated[
    Path | None, typer.Option("-o", "--output", help="File to write instead of stdout.", dir_okay=False)
]


def openapi(
    service: TargetArgument,
    format: Annotated[
        Format | None, typer.Option(help="JSON or YAML. Default: as the output file's name says, or JSON.")
    ] = None,
    version: Annotated[
        Version, typer.Option(help="Version of OpenAPI; 3.0 is for tools that need it.")
    ] = Version.V3_1,
    include_rpc: Annotated[
        bool, typer.Option("--include-rpc", help="Show the RPC route of every command beside its REST route.")
    ] = False,
    url: UrlOption = None,
    output: OutputOption = None,
) -> None:
    """Write the OpenAPI document of a service, without serving it.

    [dim]service-kit openapi orders:Orders --url https://orders.example.com -o openapi.json[/]
    """
    from service_kit.cli.targets import create_application
    from service_kit.openapi import build_specification, downgrade, render_yaml

    check_url(url)
    application = create_application(service).application
    raw = application.raw.specification() if application.raw else None
    specification = build_specification(application.contract, url=url, include_rpc=include_rpc, raw=raw)
    if version is Version.V3_0:
        specification = downgrade(specification)
    named_yaml = output is not None and output.suffix in (".yaml", ".yml")
    as_yaml = format is Format.YAML or (format is None and named_yaml)
    deliver(render_yaml(specification).body if as_yaml else indented(specification), output)


def manifest(
    service: TargetArgument,
    kind: Annotated[Kind, typer.Option(help="Which of the documents that catalogues read.")] = Kind.PLUGIN,
    url: UrlOption = None,
    output: OutputOption = None,
) -> None:
    """Write the plugin manifest of a service, or another document that agents' catalogues read.

    [dim]service-kit manifest orders:Orders --url https://orders.example.com[/]
    """
    from service_kit.cli.targets import create_application
    from service_kit.openapi import Offered, api_catalog, build_agent_card, build_manifest, llms_text

    check_url(url)
    contract = create_application(service).application.contract
    place = (url or LOCAL_URL).rstrip("/")
    card = contract.plugin.agent_card
    offered = Offered(agent_card=card is not None)
    match kind:
        case Kind.PLUGIN:
            body = indented(build_manifest(contract, url=place, specification_url="/openapi.json"))
        case Kind.LLMS:
            body = llms_text(contract, url=place, offered=offered).encode()
        case Kind.CATALOG:
            body = indented(api_catalog(contract, url=place, offered=offered))
        case Kind.CARD:
            if card is None:
                cure = "write plugin=Plugin(agent_card=AgentCard(interfaces=[...])) in its class"
                raise CliError(f"service '{contract.name}' asks for no agent card", cure)
            body = indented(build_agent_card(contract, card, url=place))
    deliver(body, output)


def indented(document: Any) -> bytes:
    """Return a document indented: these are read, compared and kept under version control."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def deliver(body: bytes, output: Path | None) -> None:
    """Write a document to its file, or to stdout."""
    if output is None:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(body)
    except OSError as error:
        raise CliError(f"cannot write {output}: {error.strerror}", "choose another file") from None
    typer.echo(f"wrote {output} ({len(body)} bytes)", err=True)
