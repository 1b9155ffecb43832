"""Tasks and subscriptions that no service of the package gathers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from client_kit.lint.findings import LintFinding, found
from client_kit.lint.modules import Module
from client_kit.lint.program import Program


def ungathered(program: Program, module: Module) -> Iterator[LintFinding]:
    declared = {
        node.name: (kind, node)
        for node in module.definitions.values()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (kind := program.kind(module, node)) in ("task", "subscription")
    }
    gathered = program.remembered(_gathered) if declared else None
    if gathered is None:
        return
    whole, single, services = gathered
    for name, (kind, node) in declared.items():
        if module.name not in whole and f"{module.name}.{name}" not in single:
            cure = f"list its module: class {services[0]}(Service, include=[{module.name}])"
            subject = f"{kind} '{name}'"
            finding = found("not-gathered", module.path, node, subject, subject, cure)
            yield replace(finding, declaration=f"{module.name}:{name}")


def _gathered(program: Program) -> tuple[set[str], set[str], list[str]] | None:
    """Return the modules that services gather, single declarations, and the services; None if that cannot be told."""
    whole: set[str] = set()
    single: set[str] = set()
    services: list[str] = []
    pending: list[str] = []
    for name in program.files():
        module = program.module(name)
        for node in ast.walk(module.tree) if module is not None else ():
            if not isinstance(node, ast.ClassDef) or module is None:
                continue
            bases = (program.resolve(module, base, frozenset(), {}) for base in node.bases)
            if not any(program.derives(base, "Service") for base in bases):
                continue
            included = _included(program, module, node)
            if included is None:
                return None
            services.append(node.name)
            pending += [name, *included, *_named(program, module, node)]
    while pending:
        name = pending.pop()
        module = program.module(name)
        if name in whole or module is None:
            continue
        whole.add(name)
        for own in (*module.imports, *module.definitions):
            dotted = program.canonical(f"{name}.{own}")
            defined = program.definition(dotted)
            kind = program.kind(*defined) if defined is not None else ""
            if kind in ("workflow", "command") and defined is not None:
                pending.append(defined[0].name)
            elif kind:
                single.add(dotted)
    return (whole, single, services) if services else None


def _named(program: Program, module: Module, service: ast.ClassDef) -> Iterator[str]:
    """Yield the modules of the workflows and commands that a service names, as in `place_order = flows.place_order`."""
    for node in service.body:
        if isinstance(node, ast.Assign):
            defined = program.definition(program.resolve(module, node.value, frozenset(), {}))
            if defined is not None and program.kind(*defined) in ("workflow", "command"):
                yield defined[0].name


def _included(program: Program, module: Module, service: ast.ClassDef) -> list[str] | None:
    for keyword in service.keywords:
        if keyword.arg is None:
            return None
        if keyword.arg == "include":
            if not isinstance(keyword.value, ast.List | ast.Tuple):
                return None
            names = [program.resolve(module, item, frozenset(), {}) for item in keyword.value.elts]
            return None if "" in names else names
    return []
