"""The commands by name. Each is a module of its own, and imports what is heavy only when it runs."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from service_kit.cli.call import call
from service_kit.cli.check import check
from service_kit.cli.contract import contract
from service_kit.cli.dead_letters import dead_letters
from service_kit.cli.deploying import deploy, destroy
from service_kit.cli.dev import dev
from service_kit.cli.diff import diff
from service_kit.cli.documents import manifest, openapi
from service_kit.cli.events import events
from service_kit.cli.executions import executions
from service_kit.cli.failures import EXTRA_CURE, SERVER_EXTRA, CliError, Unusable
from service_kit.cli.forking import fork
from service_kit.cli.mcp import mcp
from service_kit.cli.replay import replay
from service_kit.cli.routes import routes
from service_kit.cli.sam import sam
from service_kit.cli.schedules import schedules
from service_kit.cli.start import start
from service_kit.cli.states import state
from service_kit.cli.tasks import tasks
from service_kit.cli.tools import tools


class _Reporting(TyperGroup):
    """Turns a CliError into its message and exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            if error.name not in SERVER_EXTRA:
                raise
            failure: CliError = Unusable(f"this needs '{error.name}', which is not installed", EXTRA_CURE)
        except CliError as error:
            failure = error
        from service_kit.cli.output import report

        report(failure)
        raise typer.Exit(failure.exit_code)


app: typer.Typer = typer.Typer(
    cls=_Reporting,
    name="service-kit",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"service-kit {version('service-kit')}")
        except PackageNotFoundError:
            typer.echo("service-kit, from a source tree")
        raise typer.Exit


@app.callback()
def service_kit(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Serve, describe, check and call typed services.

    A service is named as [cyan]module:Service[/] or
    [cyan]path/to/file.py:Service[/]; [cyan]module[/] alone is enough
    where it has only one.
    """


for _run in (
    dev,
    start,
    mcp,
    call,
    routes,
    check,
    diff,
    replay,
    openapi,
    manifest,
    contract,
    tools,
    sam,
    deploy,
    destroy,
):
    app.command()(_run)
executions.command()(state)
executions.command()(fork)
for _group in (executions, tasks, schedules, events, dead_letters):
    app.add_typer(_group)
