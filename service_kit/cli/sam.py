"""`service-kit sam`: the SAM template of a service."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service_kit.cli.deployments import ApiOption, DeploymentArgument, FunctionsOption
from service_kit.cli.failures import CliError, Unusable
from service_kit.cli.options import JsonOption

if TYPE_CHECKING:
    from service_kit.deploy import Deployment


def sam(
    service: DeploymentArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write instead of stdout.", dir_okay=False)
    ] = None,
    api: ApiOption = None,
    functions: FunctionsOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if the file is not what would be written.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write the SAM template that runs a service on AWS.

    The same service gives the same bytes. What differs on AWS, and
    no template shows, is told on stderr.

    [dim]service-kit sam orders:Orders -o sam/orders/template.yaml[/]
    """
    from service_kit.cli.deployments import explained, load_deployment
    from service_kit.cli.output import tell, write

    if check and output is None:
        raise Unusable("--check has no file to look at", "name it: -o sam/orders/template.yaml --check")
    with explained():
        deployment = load_deployment(service, api, functions)
        text = template_text(deployment, json=json)
        notes = deployment.notes()
    for note in notes:
        tell(f"note: {note}")
    if output is None:
        write(text)
    elif check:
        _compare(output, text)
    else:
        write_template(output, text)


def template_text(deployment: Deployment, *, json: bool) -> str:
    """Return the template's text."""
    from service_kit.deploy.rendering import to_json, to_yaml

    template = deployment.template()
    return to_json(template) if json else to_yaml(template)


def write_template(file: Path, text: str) -> None:
    """Write a template unless it is there already; raise CliError if that cannot be."""
    from service_kit.cli.output import tell

    if _read(file) == text:
        tell(f"{file} is up to date")
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise CliError(f"cannot write {file}: {error.strerror}", "choose another file") from None
    tell(f"wrote {file}")


def _compare(file: Path, text: str) -> None:
    from service_kit.cli.output import tell

    found = _read(file)
    if found == text:
        tell(f"{file} is up to date")
        return
    if found is None:
        raise CliError(f"there is no {file}", "write it: the same command without --check")
    lines = unified_diff(
        found.splitlines(keepends=True), text.splitlines(keepends=True), str(file), "as it should be", n=1
    )
    raise CliError(
        f"{file} is not what the service asks for",
        "write it: the same command without --check",
        "".join(lines),
    )


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}", "choose another file") from None
