"""What `service-kit sam`, `deploy` and `destroy` are given: a service, or a Deployment of one."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from service_kit.cli.failures import CliError, Unusable
from service_kit.errors import DefinitionError

if TYPE_CHECKING:
    from service_kit.deploy import Deployment

DeploymentArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SERVICE",
        help="The service, or a Deployment of it: module:Service, path/to/file.py:deployment.",
    ),
]
ApiOption: TypeAlias = Annotated[
    Literal["http", "rest"] | None,
    typer.Option(help="An HTTP API, or a REST API that has the specification. Default: http."),
]
FunctionsOption: TypeAlias = Annotated[
    Literal["one", "each"] | None,
    typer.Option(help="One function for all commands, or one for each. Default: one."),
]


def load_deployment(text: str, api: str | None = None, functions: str | None = None) -> Deployment:
    """Import what the command line names; raise Unusable if it is neither a service nor a Deployment."""
    from service_kit.cli.targets import _import, _look_up, load_service, parse_target
    from service_kit.deploy import Deployment, DeploymentOptions

    target = parse_target(text)
    found = None if target.attribute is None else _look_up(target, _import(target))
    asked: dict[str, Any] = {"api": api, "functions": functions}
    changes = {name: value for name, value in asked.items() if value is not None}
    if not isinstance(found, Deployment):
        return Deployment(load_service(text), DeploymentOptions(**changes))
    if changes:
        raise Unusable(
            f"{text} is a Deployment, which says itself what is asked with --{' and --'.join(changes)}",
            f"change it there: DeploymentOptions({', '.join(f'{k}={v!r}' for k, v in changes.items())})",
        )
    return found


def project_root(text: str) -> Path:
    """Return the folder that the service is imported from."""
    from service_kit.cli.targets import parse_target

    return parse_target(text).folder.resolve()


@contextlib.contextmanager
def explained() -> Generator[None]:
    """Raise CliError, with a cure, for what goes wrong on the way to AWS."""
    from service_kit.deploy.sam import VARIABLE, SamFailed, SamMissing
    from service_kit.deploy.source import FolderTaken, SourceUnavailable

    try:
        yield
    except DefinitionError as error:
        raise CliError(f"{error.where}: {error.problem}", error.cure) from error
    except SourceUnavailable as error:
        raise CliError(str(error), "mend the import that is named above", error.details) from error
    except FolderTaken as error:
        raise Unusable(
            str(error), "keep the template in a folder of its own: -t sam/<service>/template.yaml"
        ) from None
    except SamMissing:
        raise Unusable(
            "this needs AWS's command line 'sam', which is not on the path",
            f"install it in an environment of its own (pipx install aws-sam-cli), or name it in {VARIABLE}",
        ) from None
    except SamFailed as error:
        raise CliError(str(error), "read what it says above") from None
