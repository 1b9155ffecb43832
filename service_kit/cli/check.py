"""`service-kit check`: find mistakes before callers do."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service_kit.cli.failures import Unusable
from service_kit.cli.options import JsonOption, TargetArgument

if TYPE_CHECKING:
    from service_kit.cli.finding import Finding


def check(
    service: TargetArgument,
    strict: Annotated[bool, typer.Option("--strict", help="Fail for warnings, too.")] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="Leave out findings of this code; may be repeated."),
    ] = None,
    gpt: Annotated[
        bool, typer.Option("--gpt", help="Only the limits of GPT actions and of the manifest, as errors.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Find mistakes before callers do: definitions, routes, fields, workflows, limits of agents.

    The exit status is 0 if all is well, 1 for errors (with --strict for
    warnings, too), 2 if the service cannot be read at all.

    [dim]service-kit check orders:Orders --strict --ignore placeholder[/]
    """
    from service_kit.cli.finding import Severity

    ignored = _checked_codes(ignore or [])
    found = [finding for finding in _find(service, gpt=gpt) if finding.code not in ignored]
    found.sort(key=lambda finding: finding.severity is not Severity.ERROR)
    failing = [f for f in found if strict or f.severity is Severity.ERROR]
    if json:
        from service_kit.cli.output import write_json

        write_json({"service": service, "ok": not failing, "findings": [asdict(f) for f in found]})
    else:
        _show(service, found)
    if failing:
        raise typer.Exit(1)


def _checked_codes(codes: list[str]) -> set[str]:
    from service_kit.cli.findings import CODES

    for code in codes:
        if code not in CODES:
            raise Unusable(f"there is no code '{code}' to ignore", f"known ones are {', '.join(CODES)}")
    return set(codes)


def _find(text: str, *, gpt: bool) -> list[Finding]:
    from service_kit.cli.durability import definition_finding
    from service_kit.cli.finding import Severity
    from service_kit.cli.findings import agent_findings, findings_of
    from service_kit.cli.targets import BrokenModule, create_application, load_service
    from service_kit.contract.service import contract_of
    from service_kit.errors import DefinitionError

    try:
        application = create_application(text).application
        if gpt:
            return agent_findings(application, Severity.ERROR)
        service = load_service(text)
        modules = [sys.modules[service.__module__], *contract_of(service).include]
        return findings_of(service, application, dict.fromkeys(modules))
    except BrokenModule as broken:
        error = broken.error
        if not isinstance(error, DefinitionError):
            raise
        return [definition_finding(error)]


def _show(service: str, found: list[Finding]) -> None:
    from rich.text import Text

    from service_kit.cli.finding import Severity
    from service_kit.cli.output import stdout

    console = stdout()
    for finding in found:
        colour = "red" if finding.severity is Severity.ERROR else "yellow"
        line = (
            Text().append(finding.severity.value, style=f"bold {colour}").append(f" [{finding.code}] ", "dim")
        )
        line.append(f"{finding.where}: {finding.problem}").append(f"\n  {finding.cure}", "cyan")
        console.print(line)
    errors = sum(f.severity is Severity.ERROR for f in found)
    console.print(_summary(service, errors, len(found) - errors), style="bold", markup=False)


def _summary(service: str, errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return f"{service}: nothing to mend"
    parts: list[Any] = [_count(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n]
    return f"{service}: {', '.join(parts)}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
