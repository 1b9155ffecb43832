"""`service-kit contract`: publish the typed contract of a service as a package for other teams."""

from __future__ import annotations

from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service_kit.cli.failures import CliError, Unusable

if TYPE_CHECKING:
    from service_kit.publishing.definitions import Published


def contract(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the package; its name is the package's.")
    ],
    service: Annotated[
        str | None,
        typer.Argument(metavar="SERVICE", help="The service: module:Service, or path/to/file.py:Service."),
    ] = None,
    openapi: Annotated[
        str | None,
        typer.Option(help="An OpenAPI document, 3.0 or 3.1, instead of a service: a file or a URL."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the class, with --openapi. Default: the document's title.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Write nothing; show a diff and exit with 1 if the folder is not up to date."
        ),
    ] = False,
) -> None:
    """Publish the contract of a service as a typed package.

    It holds the models, errors, events, signals and signatures, and needs
    nothing but client_kit: another team calls the service with its types,
    and without its code.

    [dim]service-kit contract orders:Orders -o stubs/orders_contract[/]

    [dim]service-kit contract --openapi https://example.com/openapi.json -o shop_contract[/]
    """
    if (service is None) == (openapi is None):
        raise Unusable(
            "name a service or an OpenAPI document, one of the two",
            "write 'contract module:Service -o FOLDER' or 'contract --openapi FILE_OR_URL -o FOLDER'",
        )
    if service is not None and name is not None:
        raise Unusable("--name is for documents: a service keeps its own name", "leave --name out")
    if not output.name.isidentifier() or iskeyword(output.name):
        raise Unusable(
            f"'{output}' is no folder for a package",
            "give one whose name can be imported, such as -o stubs/orders_contract",
        )
    published = _of_service(service) if service is not None else _of_document(openapi or "", name)
    if check:
        _check(output, published)
    else:
        _write(output, published)


def _of_service(text: str) -> Published:
    from service_kit.cli.targets import load_service, place_of
    from service_kit.errors import DefinitionError
    from service_kit.publishing.declared import publish_service

    service = load_service(text)
    try:
        return publish_service(service)
    except DefinitionError as error:
        raise CliError(f"{place_of(error)}: {error.problem}", error.cure) from None


def _of_document(place: str, name: str | None) -> Published:
    from service_kit.publishing.document.read import Unreadable, read_document
    from service_kit.publishing.document.service import publish_document

    try:
        return publish_document(read_document(place), name=name)
    except Unreadable as error:
        raise Unusable(f"{place}: {error.problem}", error.cure) from None


def _write(folder: Path, published: Published) -> None:
    from service_kit.cli.output import tell
    from service_kit.publishing.folder import NotOurs, write_folder
    from service_kit.publishing.package import write_package

    try:
        changed = write_folder(folder, write_package(published))
    except NotOurs as error:
        raise CliError(f"nothing was written to {folder}: {error}", "choose another folder") from None
    except OSError as error:
        raise CliError(f"cannot write {folder}: {error.strerror}", "choose another folder") from None
    for note in published.notes:
        tell(f"note: {note}")
    what = f"{published.service.name} {published.version}, {_counted(published)}"
    tell(f"wrote {folder}: {what}" if changed else f"{folder} is up to date")


def _counted(published: Published) -> str:
    workflows = sum(method.is_workflow for method in published.service.methods)
    counts = {"command": len(published.service.methods) - workflows, "workflow": workflows}
    return ", ".join(f"{n} {noun}{'' if n == 1 else 's'}" for noun, n in counts.items() if n) or "no commands"


def _check(folder: Path, published: Published) -> None:
    from service_kit.cli.output import tell, write
    from service_kit.publishing.folder import differences
    from service_kit.publishing.package import write_package

    lines = list(differences(folder, write_package(published)))
    if lines:
        write("\n".join(lines) + "\n")
        raise CliError(f"{folder} is not up to date", "run the same command without --check")
    tell(f"{folder} is up to date")
