"""What `service-kit check` reads in the source: the rules that the plugin of mypy applies, too."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from client_kit.lint import LintFinding, Program, check_module
from service_kit.cli.finding import Finding, Severity
from service_kit.contract.gather import Declarations
from service_kit.contract.service import ServiceContract
from service_kit.hosts.local.tracebacks import is_users, shortened

_ERRORS = ("never-awaited",)


def lint_findings(
    contract: ServiceContract, declarations: Declarations, service_module: str, told: list[Finding]
) -> Iterator[Finding]:
    """Yield what is wrong in the modules of a service, but for what was told of its declarations already."""
    own = dict.fromkeys(filter(_is_readable, _modules(contract, declarations, service_module)))
    programs: dict[tuple[str, str], Program] = {}
    for name in own:
        program = Program.of(name, str(sys.modules[name].__file__))
        program = programs.setdefault((str(program.root), program.package), program)
        for finding in check_module(program, name):
            yield _shown(finding)
        for beside in _around(program, name, service_module):
            if beside not in own:
                own_findings = (f for f in check_module(program, beside) if f.code == "not-gathered")
                yield from (_shown(f) for f in own_findings if not _is_told(f, told))


def _modules(contract: ServiceContract, declarations: Declarations, service_module: str) -> Iterator[str]:
    yield service_module
    yield from (module.__name__ for module in contract.include)
    for group in (contract.commands, declarations.workflows, declarations.tasks, declarations.subscriptions):
        yield from (declared.function.__module__ for declared in group.values())


def _is_readable(name: str) -> bool:
    file = getattr(sys.modules.get(name), "__file__", None)
    return isinstance(file, str) and file.endswith(".py") and is_users(file)


def _around(program: Program, name: str, service_module: str) -> list[str]:
    """Return the modules in which a declaration may have been forgotten: of the service's own package."""
    if name != service_module:
        return []
    package = f"{name.rpartition('.')[0]}."
    return [other for other in program.files() if package == "." or other.startswith(package)]


def _is_told(finding: LintFinding, told: list[Finding]) -> bool:
    return any(f"({finding.declaration})" in f"{other.where} {other.problem}" for other in told)


def _shown(finding: LintFinding) -> Finding:
    severity = Severity.ERROR if finding.code in _ERRORS else Severity.WARNING
    where = f"{shortened(finding.path)}:{finding.line}, {finding.subject}"
    return Finding(severity, finding.code, where, finding.problem, finding.cure)
