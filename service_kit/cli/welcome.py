"""What `service-kit dev` says when it serves: the URLs that matter, and a call to try."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from service_kit.cli.samples import curl
from service_kit.contract.service import ServiceContract


def welcome(contract: ServiceContract, url: str, public_url: str | None, watched: Sequence[Path]) -> str:
    """Return the lines to print."""
    rows = [
        ("docs", f"{url}/docs"),
        ("openapi", f"{url}/openapi.json"),
        ("manifest", f"{url}/.well-known/ai-plugin.json"),
    ]
    if public_url is not None:
        rows.append(("public", f"{public_url} (in specification and manifest)"))
    if contract.commands:
        rows.append(("try", curl(contract, next(iter(contract.commands.values())), url)))
    if watched:
        rows.append(("watching", ", ".join(map(str, watched))))
    lines = [f"\n  {contract.title} {contract.version} serves at {url}\n"]
    lines += [f"  {label:<9} {text}" for label, text in rows]
    lines.append("\n  Ctrl+C stops it.\n\n")
    return "\n".join(lines)
