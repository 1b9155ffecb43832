"""A published contract as a package: its files by name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from service_kit.publishing.definitions import Assignment, Class, Published, mentioned
from service_kit.publishing.expressions import Call, Imported
from service_kit.publishing.layout import docstring, quote
from service_kit.publishing.module import Module, import_line, import_order
from service_kit.publishing.naming import in_order, settle_names

DOCS: Mapping[str, str] = {
    "models": "What travels.",
    "errors": "The errors that callers can count on.",
    "events": "What the service publishes.",
    "service": "The service: its commands, workflows, signals and states.",
}

MARK = "Written by `service-kit contract`: write it again rather than edit it."
"""By which a package is known to be one."""


def write_package(published: Published) -> dict[str, str]:
    """Return the text of every file; the same for the same contract, wherever and whenever it is written."""
    names = settle_names(published)
    places = _places(published)
    ordered = in_order(published.definitions)
    files: dict[str, str] = {}
    exported: dict[str, list[str]] = {}
    for place in ("models", "errors", "events"):
        keys = [key for key in ordered if places[key] == place]
        if keys:
            files[f"{place}.py"] = _definitions(published, Module(place, places, names), place, keys)
            exported[place] = [names[key] for key in keys if _is_public(published, key, names)]
    files["service.py"] = _service(published, Module("service", places, names))
    exported["service"] = [published.service.name]
    digest = hashlib.sha256("\n".join(files[name] for name in sorted(files)).encode()).hexdigest()
    files["__init__.py"] = _face(published, exported, digest)
    files["py.typed"] = ""
    return dict(sorted(files.items()))


def _places(published: Published) -> dict[str, str]:
    """Return the file of each definition: an event that a model mentions stands beside it."""
    places: dict[str, str] = {key: d.place for key, d in published.definitions.items()}
    pending = [key for key, place in places.items() if place == "models"]
    while pending:
        for expression in published.definitions[pending.pop()].expressions():
            for key in mentioned(expression):
                if places[key] != "models":
                    places[key] = "models"
                    pending.append(key)
    return places


def _definitions(published: Published, module: Module, place: str, keys: list[str]) -> str:
    chosen = [(key, published.definitions[key]) for key in keys]
    members = {line.name for _, d in chosen if isinstance(d, Class) for line in d.lines}
    module.prepare(members, [e for _, d in chosen for e in d.expressions()])
    lines: list[str] = []
    for number, (key, definition) in enumerate(chosen):
        if number:
            # Assignments stand together, classes apart, as formatters have it.
            both = isinstance(definition, Assignment) and isinstance(chosen[number - 1][1], Assignment)
            lines += [] if both else ["", ""]
        lines += module.definition(key, definition)
    apart = "\n\n\n" if isinstance(chosen[0][1], Class) else "\n\n"
    return _text(DOCS[place], module, "\n".join(lines), apart)


def _service(published: Published, module: Module) -> str:
    service = published.service
    members = {method.name for method in service.methods} | {line.name for line in service.attributes}
    module.prepare(members | {service.name}, service.expressions())
    lines = module.class_line(service.name, (service.base,), service.keywords)
    blocks = ["\n".join(docstring(service.doc, 1))] if service.doc else []
    blocks += ["\n".join(module.method(method)) for method in service.methods]
    if service.attributes:
        blocks.append("\n".join(x for line in service.attributes for x in module.attribute(line)))
    body = "\n\n".join(blocks) or "    pass"
    return _text(DOCS["service"], module, "\n".join([*lines, body]), "\n\n\n")


def _text(doc: str, module: Module, body: str, apart: str) -> str:
    head = "\n".join([*docstring(doc, 0), "", "from __future__ import annotations"])
    imports = "\n".join(module.imports())
    return f"{head}{chr(10) * 2 + imports if imports else ''}{apart}{body}\n"


def _face(published: Published, exported: Mapping[str, list[str]], digest: str) -> str:
    service = published.service
    where = f" at {published.url}" if published.url else ""
    doc = f"Contract of the service {service.name}, version {published.version}{where}.\n\n{MARK}"
    imports = [
        import_line(f".{place}", sorted(names, key=import_order))
        for place, names in sorted(exported.items())
        if names
    ]
    # Linters sort this list by case, and names of imports not.
    public = sorted({name for names in exported.values() for name in names}, key=_by_case)
    lines = [*docstring(doc, 0), "", "from __future__ import annotations", "", *imports, ""]
    if published.url:
        lines += [f"URL = {quote(published.url)}", '"""Where the service says that it is."""']
        public.insert(0, "URL")
    lines += [
        f"__version__ = {quote(published.version)}",
        f"__digest__ = {quote(f'sha256:{digest}')}",
        '"""A digest of the other files."""',
        "",
        "__all__ = [",
        *(f"    {quote(name)}," for name in public),
        "]",
    ]
    return "\n".join(lines) + "\n"


def _by_case(name: str) -> tuple[int, str]:
    return import_order(name)[0], name


def _is_public(published: Published, key: str, names: Mapping[str, str]) -> bool:
    definition = published.definitions[key]
    return not names[key].startswith("_") and not (
        isinstance(definition, Assignment)
        and isinstance(definition.value, Call)
        and definition.value.function == Imported("typing", "TypeVar")
    )
