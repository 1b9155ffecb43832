"""Programs that ask a type checker for every type of a service, written the same for each home of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plugins.orders.service import Orders
from plugins.todo.service import Todos
from service_kit import Service
from service_kit.publishing.declared import publish_service
from service_kit.publishing.definitions import Class, Published
from service_kit.publishing.module import import_line, import_order
from service_kit.publishing.naming import settle_names

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Example:
    """A service of `plugins/`, and where its contracts are."""

    name: str
    service: type[Service]

    @property
    def home(self) -> Published:
        """Return its contract as read from its class."""
        return publish_service(self.service)

    @property
    def package(self) -> str:
        return f"stubs.{self.name}_contract"

    @property
    def from_document(self) -> str:
        return f"stubs.openapi.{self.name}_contract"


EXAMPLES = (Example("orders", Orders), Example("todo", Todos))


def probe(published: Published, package: str | None) -> str:
    """Return the program for a contract in a package; without one, for the service's own modules."""
    names = settle_names(published)
    classes = [(names[k], d) for k, d in published.definitions.items() if isinstance(d, Class)]
    service = published.service
    imports: dict[str, set[str]] = {}
    for name, definition in classes:
        imports.setdefault(package or definition.origin, set()).add(name)
    imports.setdefault(package or _home_of(service.name), set()).add(service.name)
    lines = [
        f'"""Every type of {service.name}, as {package or "its own modules"} has it: written by probes.py."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import reveal_type",
        "",
        "from client_kit import ServiceClient, connect",
        *(import_line(module, sorted(imports[module], key=import_order)) for module in sorted(imports)),
        "",
        "",
        f"async def commands(client: ServiceClient[{service.name}]) -> None:",
        *(f"    reveal_type(client.{method.name})" for method in service.methods),
        f'    async with connect({service.name}, "http://127.0.0.1") as connected:',
        "        reveal_type(connected)",
        *(f"    reveal_type({service.name}.{line.name})" for line in service.attributes),
    ]
    for name, definition in sorted(classes, key=lambda pair: pair[0]):
        lines += ["", "", f"def fields_of_{name}(it: {name}) -> None:"]
        lines += [f"    reveal_type(it.{field})" for field in _fields(definition, published)]
    return "\n".join(lines) + "\n"


def _fields(definition: Class, published: Published) -> Iterator[str]:
    """Yield the fields of a class, those of its bases before its own."""
    for base in definition.bases:
        parent = published.definitions.get(getattr(base, "key", ""))
        if isinstance(parent, Class):
            yield from _fields(parent, published)
    yield from (line.name for line in definition.lines)


def _home_of(service: str) -> str:
    return next(e.service.__module__ for e in EXAMPLES if e.service.__name__ == service)
