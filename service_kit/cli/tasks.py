"""`service-kit tasks`: answer tasks that wait for somebody outside, by the tokens that they gave away."""

from __future__ import annotations

import sys
from json import loads
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.failures import CliError, no_json
from service_kit.cli.options import Remote

if TYPE_CHECKING:
    from service_kit.cli.operating import Operator

tasks: typer.Typer = typer.Typer(
    name="tasks",
    no_args_is_help=True,
    help="Complete or fail tasks that wait for somebody outside, by their tokens.",
)


def _token(word: str) -> str:
    return sys.stdin.readline().strip() if word == "-" else word


TokenArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="TOKEN",
        callback=_token,
        help="What `task_token()` gave the task's code; - reads it from stdin, past the shell's history.",
    ),
]


@tasks.command()
@bundled
def complete(
    token: TokenArgument,
    service: Remote,
    result: Annotated[str, typer.Argument(metavar="[JSON]", help="The task's result.")] = "null",
) -> None:
    """Complete a task with its result.

    [dim]service-kit tasks complete "$TOKEN" '{"approved": true}'[/]
    """
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell

    value = _parsed(result)

    async def ask(operator: Operator) -> bool:
        return await operator.manager.complete_task(token, value)

    _check_waited(operate(service, ask))
    tell("completed the task")


@tasks.command()
@bundled
def fail(
    token: TokenArgument,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="What went wrong.")],
    service: Remote,
    type: Annotated[str, typer.Option(help="The error's name, for readers.")] = "",
) -> None:
    """Fail a task for good: it is not tried again.

    [dim]service-kit tasks fail "$TOKEN" "the customer has moved"[/]
    """
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell

    async def ask(operator: Operator) -> bool:
        return await operator.manager.fail_task(token, message, type)

    _check_waited(operate(service, ask))
    tell("failed the task")


def _check_waited(waited: bool) -> None:
    if not waited:
        raise CliError(
            "nobody waits for this task any more",
            "it was answered or cancelled before, or its execution has ended",
        )


def _parsed(text: str) -> Any:
    try:
        return loads(text)
    except ValueError as error:
        raise no_json("result", text, error) from None
