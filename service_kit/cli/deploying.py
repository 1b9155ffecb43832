"""`service-kit deploy` and `service-kit destroy`: from a service to a stack and back, by AWS's `sam`."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from service_kit.cli.deployments import DeploymentArgument
from service_kit.cli.failures import CliError, Unusable
from service_kit.cli.options import JsonOption

StackOption: TypeAlias = Annotated[
    str | None, typer.Option(help="Name of the stack. Default: the service's name.")
]
SamArguments: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[-- SAM OPTIONS]", help="What `sam` is told besides: -- --region eu-west-1"),
]
CONFIGURATION = "samconfig.toml"


def deploy(
    service: DeploymentArgument,
    sam_options: SamArguments = None,
    stack: StackOption = None,
    template: Annotated[
        Path | None,
        typer.Option(
            "-t",
            "--template",
            help="File of the template. Default: sam/<service>/template.yaml.",
            dir_okay=False,
        ),
    ] = None,
    requirements: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="The functions' requirements. Default: what the service imports, as installed here.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Deploy a service: write its template, put its code together, `sam build`, `sam deploy`.

    Prints the stack's outputs; ApiUrl is where the service answers.

    [dim]service-kit deploy orders:Orders --stack orders-test -- --region eu-west-1[/]
    """  # fmt: skip
    from service_kit.cli.deployments import explained, load_deployment, project_root
    from service_kit.cli.output import tell
    from service_kit.cli.sam import template_text, write_template
    from service_kit.deploy.functions import SOURCE_FOLDER
    from service_kit.deploy.sam import Sam
    from service_kit.deploy.source import write_source

    with explained():
        deployment = load_deployment(service)
        name = stack or deployment.contract.name
        file = template or Path("sam", deployment.contract.name, "template.yaml")
        if file.name != "template.yaml":
            raise Unusable(f"'{file.name}' is not what sam looks for", f"call it {file.parent}/template.yaml")
        sam = Sam(file.parent.resolve())
        write_template(file, template_text(deployment, json=False))
        found = write_source(deployment, project_root(service), file.parent / SOURCE_FOLDER, requirements)
        tell(f"put {', '.join(found.places)} into {file.parent / SOURCE_FOLDER}")
        sam.build(*_configured(file))
        sam.deploy(name, *_configured(file), *(sam_options or ()))
        outputs = sam.outputs(name, *_regional(sam_options or ()))
    _show(outputs, json=json)


def destroy(
    service: DeploymentArgument,
    sam_options: SamArguments = None,
    stack: StackOption = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a service's stack, and everything that is in it.

    [dim]service-kit destroy orders:Orders --stack orders-test --yes[/]
    """
    from service_kit.cli.deployments import explained, load_deployment
    from service_kit.cli.output import tell
    from service_kit.deploy.sam import Sam
    from service_kit.deploy.storage import BUCKET

    with explained():
        deployment = load_deployment(service)
        name = stack or deployment.contract.name
        sam = Sam(Path.cwd())
        if not yes and not typer.confirm(f"Delete stack '{name}' with everything in it?", err=True):
            raise CliError("nothing was deleted")
        if BUCKET in deployment.template().resources:
            _empty(name, _regional(sam_options or ()))
        sam.delete(name, *(sam_options or ()))
    tell(f"deleted stack {name}")


def _empty(stack: str, place: list[str]) -> None:
    from service_kit.cli.output import tell
    from service_kit.deploy.emptying import NotEmptied, empty_bucket

    words = [word for option in place for word in option.split("=", 1)]
    chosen = dict(zip(words[::2], words[1::2], strict=True))
    try:
        deleted = empty_bucket(stack, chosen.get("--region"), chosen.get("--profile"))
    except ImportError as error:
        raise Unusable(
            f"the bucket of stack '{stack}' has to be emptied, and that takes {error.name}",
            "pip install 'service-kit[aws]'",
        ) from error
    except NotEmptied as error:
        raise CliError(str(error)) from error
    if deleted:
        tell(f"deleted {deleted} large values from the bucket")


def _configured(template: Path) -> list[str]:
    """Return what leads sam to the nearest configuration, of the template's folder or one above it."""
    for folder in (template.resolve().parent, *template.resolve().parents):
        if (folder / CONFIGURATION).is_file():
            return ["--config-file", str(folder / CONFIGURATION)]
    return []


def _regional(options: list[str] | tuple[str, ...]) -> list[str]:
    """Return the options that say where the stack is, which every command of sam takes."""
    kept: list[str] = []
    for name, value in zip_longest(options, options[1:], fillvalue=""):
        if name in ("--region", "--profile"):
            kept += [name, value]
        elif name.startswith(("--region=", "--profile=")):
            kept.append(name)
    return kept


def _show(outputs: dict[str, str], *, json: bool) -> None:
    from service_kit.cli.output import write, write_json

    if json:
        write_json(outputs)
    else:
        write("".join(f"{name}: {value}\n" for name, value in sorted(outputs.items())))
