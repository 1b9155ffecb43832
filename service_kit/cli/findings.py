"""What `service-kit check` can find, each mistake once, with its cure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType

from client_kit.lint import RULES
from service_kit.cli.aliases import unreadable_fields
from service_kit.cli.durability import durable_findings
from service_kit.cli.finding import Finding, Severity
from service_kit.contract.command import AnyCommand, Command, StreamCommand
from service_kit.contract.plugin import Plugin
from service_kit.contract.route import RPC_PREFIX
from service_kit.contract.service import Service, ServiceContract
from service_kit.http import Application
from service_kit.http.documents import CATALOG_PATH, SPECIFICATION_PATHS, Documents
from service_kit.http.router import Found

CODES: Mapping[str, str] = {
    "definition": "a declaration is wrong",
    "agent-limit": "agents' catalogues refuse or cut it",
    "route-clash": "a route hides another one",
    "unreadable-field": "a field is written in a way that cannot be read back",
    "not-exposed": "a command that no service offers",
    "no-commands": "a service that offers nothing",
    "unseen-task": "a task that no workflow can see",
    **{code: what for code, (what, _) in RULES.items()},
    "placeholder": "a field of the plugin manifest was left as it came",
}
"""Every code, and what it stands for."""


_EDITED = (*SPECIFICATION_PATHS, "/openapi.yaml", "/.well-known/ai-plugin.json", "/llms.txt", CATALOG_PATH)
"""Paths that a command may take, to serve the document as somebody has edited it."""


def findings_of(
    service: type[Service], application: Application, modules: Iterable[ModuleType]
) -> list[Finding]:
    """Return what is wrong with a service; `modules` are those whose commands it should offer."""
    contract = application.contract
    return [
        *_route_clashes(contract, application),
        *_unreadable_fields(contract),
        *durable_findings(contract, service.__module__),
        *_not_exposed(service, modules),
        *_no_commands(contract),
        *agent_findings(application, Severity.WARNING),
        *_placeholders(contract),
    ]


def agent_findings(application: Application, severity: Severity) -> list[Finding]:
    """Return each limit of agents that a service exceeds."""
    from service_kit.openapi import agent_problems

    raw = application.raw.specification() if application.raw is not None else None
    problems = agent_problems(application.contract, raw)
    return [Finding(severity, "agent-limit", found.where, found.problem, found.cure) for found in problems]


def _route_clashes(contract: ServiceContract, application: Application) -> Iterator[Finding]:
    documents = [path for path, _ in Documents(contract, application.options, lambda: None).routes()]
    for declared in contract.commands.values():
        yield from _clashes_of_command(declared, documents)
    if application.raw is not None:
        yield from _hidden_raw_routes(application, application.raw.specification()["paths"])


def _clashes_of_command(declared: AnyCommand, documents: list[str]) -> Iterator[Finding]:
    route = declared.route
    if route is None:
        return
    at = f"{route.method} {route.path}"
    if route.method == "GET" and route.path in documents:
        if route.path not in _EDITED:
            yield Finding(
                Severity.WARNING,
                "route-clash",
                declared.where,
                f"{at} replaces what the framework serves there",
                "choose another path, or ignore this if it is meant",
            )
        return
    builtin = [("GET", path) for path in documents] + [("POST", f"{RPC_PREFIX}{{command}}")]
    hidden = [path for method, path in builtin if method == route.method and _matches(route.path, path)]
    if hidden:
        yield Finding(
            Severity.WARNING,
            "route-clash",
            declared.where,
            f"{at} never sees {', '.join(hidden)}: the framework answers there",
            "begin the path with a fixed segment, such as the collection's name",
        )


def _matches(template: str, path: str) -> bool:
    """Tell whether a template with parameters would also match this path."""
    ours, theirs = template.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(
        a == b or a.startswith("{") for a, b in zip(ours, theirs, strict=True)
    )


def _hidden_raw_routes(
    application: Application, paths: Mapping[str, Mapping[str, object]]
) -> Iterator[Finding]:
    for path, item in paths.items():
        for method in item:
            if not isinstance(application.find(method.upper(), path), Found):
                continue
            yield Finding(
                Severity.ERROR,
                "route-clash",
                f"raw route {method.upper()} {path}",
                "it is never reached: a command or a built-in document answers there first",
                "choose another path",
            )


def _unreadable_fields(contract: ServiceContract) -> Iterator[Finding]:
    for found in unreadable_fields(contract):
        yield Finding(
            Severity.ERROR, "unreadable-field", f"{found.owner}.{found.name}", found.problem, found.cure
        )


def _not_exposed(service: type[Service], modules: Iterable[ModuleType]) -> Iterator[Finding]:
    exposed = {
        declared.function
        for offering in _all_services(Service)
        for declared in offering._contract.commands.values()
    }
    for module in modules:
        for name, value in vars(module).items():
            if not isinstance(value, Command | StreamCommand) or value.__module__ != module.__name__:
                continue
            if value.function not in exposed:
                exposed.add(value.function)
                yield Finding(
                    Severity.WARNING,
                    "not-exposed",
                    value.where,
                    "no service offers it, so nobody can call it",
                    f"write '{name} = {name}' in the class {service.__name__}, or take out the decorator",
                )


def _all_services(base: type[Service]) -> Iterator[type[Service]]:
    for service in base.__subclasses__():
        yield service
        yield from _all_services(service)


def _no_commands(contract: ServiceContract) -> Iterator[Finding]:
    if not (contract.commands or contract.routes or contract.workflows):
        yield Finding(
            Severity.WARNING,
            "no-commands",
            f"service '{contract.name}'",
            "it has no commands and no workflows",
            f"name them in the class {contract.title}: place_order = place_order",
        )


def _placeholders(contract: ServiceContract) -> Iterator[Finding]:
    plain = Plugin()
    for field in ("contact_email", "legal_info_url", "logo_url"):
        value = getattr(plain, field)
        if getattr(contract.plugin, field) == value:
            yield Finding(
                Severity.WARNING,
                "placeholder",
                f"service '{contract.name}', manifest",
                f"{field} is still '{value}'",
                f"set plugin=Plugin({field}=...) before you publish it",
            )
