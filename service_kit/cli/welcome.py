"""What `service-kit dev` says when it serves: the URLs that matter, what runs durably, and what to try."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from service_kit.cli.samples import curl
from service_kit.contract.gather import Declarations
from service_kit.hosts.local.service import LocalService

_LISTED = 8


def welcome(prepared: LocalService, url: str, public_url: str | None, watched: Sequence[Path]) -> str:
    """Return the lines to print."""
    contract = prepared.application.application.contract
    rows = [
        ("docs", f"{url}/docs"),
        ("openapi", f"{url}/openapi.json"),
        ("manifest", f"{url}/.well-known/ai-plugin.json"),
    ]
    if prepared.application.application.options.mcp:
        rows.append(("mcp", f"{url}/mcp"))
    if public_url is not None:
        rows.append(("public", f"{public_url} (in specification and manifest)"))
    rows += _durable(prepared.declarations)
    if prepared.file is not None:
        rows.append(("database", _short(prepared.file)))
    if contract.commands:
        rows.append(("try", curl(contract, next(iter(contract.commands.values())), url)))
    if contract.workflows:
        rows.append(("follow", f"service-kit executions list --url {url}"))
    if watched:
        rows.append(("watching", ", ".join(map(str, watched))))
    width = max(len(label) for label, _ in rows)
    lines = [f"\n  {contract.title} {contract.version} serves at {url}\n"]
    lines += [f"  {label:<{width}} {text}" for label, text in rows]
    lines.append("\n  Ctrl+C stops it.\n\n")
    return "\n".join(lines)


def _durable(declarations: Declarations) -> list[tuple[str, str]]:
    """Return what runs beside the commands: its workflows, and which events its subscriptions hear."""
    hearing = [f"{s.name} ({', '.join(s.events)})" for s in declarations.subscriptions.values()]
    rows = [("workflows", _some(declarations.workflows)), ("subscriptions", _some(hearing))]
    return [(label, text) for label, text in rows if text]


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _LISTED
    return ", ".join(listed[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _short(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)
