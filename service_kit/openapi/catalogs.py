"""What catalogues and crawlers read: `/llms.txt` (llmstxt.org), and the API catalogue of RFC 9727."""

from __future__ import annotations

from dataclasses import dataclass

from service_kit.contract.command import AnyCommand
from service_kit.contract.route import RPC_PREFIX
from service_kit.contract.service import ServiceContract
from service_kit.openapi.manifest import absolute, human_name
from service_kit.openapi.schemas import Json
from service_kit.openapi.text import cut, first_sentence

SUMMARY_LIMIT = 300
"""Of one command, as in the actions of GPTs: two hundred of them are still a page."""


@dataclass(frozen=True, slots=True)
class Offered:
    """Which documents are served beside the specification and the manifest."""

    docs: bool = True
    mcp: bool = True
    agent_card: bool = False


def llms_text(contract: ServiceContract, *, url: str, offered: Offered) -> str:
    """Return the service as a page of Markdown: what it is, its commands, and where more is written."""
    lines = [f"# {human_name(contract)}", ""]
    if contract.description:
        summary = first_sentence(contract.description)
        lines += [f"> {summary}", ""]
        rest = contract.description.strip()
        if " ".join(rest.split()) != summary:
            lines += [rest, ""]
    if contract.commands:
        lines += ["Commands:", "", *map(_command_line, contract.commands.values()), ""]
    if contract.workflows:
        names = ", ".join(f"`{name}`" for name in contract.workflows)
        lines += [f"Workflows, which run long and survive crashes: {names}.", ""]
    lines += [
        "## Documents",
        "",
        *(f"- [{title}]({url}{path}): {what}" for title, path, what in _documents(offered)),
    ]
    return "\n".join(lines) + "\n"


def api_catalog(contract: ServiceContract, *, url: str, offered: Offered) -> Json:
    """Return the linkset of RFC 9727: the service is its one item, and what describes it hangs off that."""
    api: Json = {
        "anchor": url,
        "service-desc": [
            {"href": f"{url}/openapi.json", "type": "application/vnd.oai.openapi+json"},
            {"href": f"{url}/openapi.yaml", "type": "application/vnd.oai.openapi"},
        ],
        "service-meta": [
            {"href": f"{url}/.well-known/ai-plugin.json", "type": "application/json"},
            {"href": f"{url}/llms.txt", "type": "text/plain"},
        ],
        "status": [{"href": f"{url}/healthz", "type": "application/json"}],
        "terms-of-service": [{"href": absolute(contract.plugin.legal_info_url, url)}],
    }
    if offered.agent_card:
        api["service-meta"].append({"href": f"{url}/.well-known/agent-card.json", "type": "application/json"})
    if offered.docs:
        api["service-doc"] = [{"href": f"{url}/docs", "type": "text/html"}]
    return {"linkset": [{"anchor": f"{url}/.well-known/api-catalog", "item": [{"href": url}]}, api]}


def _command_line(declared: AnyCommand) -> str:
    route = declared.route
    at = f"{route.method} {route.path}" if route else f"POST {RPC_PREFIX}{declared.name}"
    summary = cut(" ".join(declared.summary.split()), SUMMARY_LIMIT)
    return f"- {declared.name} (`{at}`): {summary}"


def _documents(offered: Offered) -> list[tuple[str, str, str]]:
    documents = [
        ("OpenAPI", "/openapi.json", "every command with its parameters, results and errors"),
        ("Plugin manifest", "/.well-known/ai-plugin.json", "name, description and authentication"),
    ]
    if offered.mcp:
        documents.append(("MCP", "/mcp", "the commands as tools, over streamable HTTP"))
    if offered.agent_card:
        documents.append(("Agent card", "/.well-known/agent-card.json", "the agent that speaks A2A"))
    if offered.docs:
        documents.append(("Documentation", "/docs", "the same for people"))
    return documents
