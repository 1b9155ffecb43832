"""`service-kit dead-letters`: look after the events that nobody could handle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.failures import CliError
from service_kit.cli.options import JsonOption, Remote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client_kit.letters import DeadLetter, Discarded
    from service_kit.cli.operating import Operator

dead_letters: typer.Typer = typer.Typer(
    name="dead-letters",
    no_args_is_help=True,
    help="List and show events whose delivery failed for good, deliver them again, or give them up.",
)

SubscriptionArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="SUBSCRIPTION", help="Whose dead letters.")
]


@dead_letters.command("list")
@bundled
def list_(
    service: Remote,
    subscription: Annotated[str | None, typer.Option(help="Only those of this subscription.")] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 100,
    all: Annotated[bool, typer.Option("--all", help="All of them, whatever --limit says.")] = False,
    json: JsonOption = False,
) -> None:
    """List dead letters, the oldest first."""
    from dataclasses import asdict

    from service_kit.cli.operating import operate
    from service_kit.cli.output import stdout, tell, write_json
    from service_kit.cli.pages import entries, tell_of_more
    from service_kit.cli.tables import table_of_letters

    async def ask(operator: Operator) -> tuple[list[DeadLetter], bool]:
        async def page(most: int, after: str | None) -> tuple[Sequence[DeadLetter], str | None]:
            told = await operator.manager.list_dead_letters(
                subscription=subscription, limit=most, after=after
            )
            return told.letters, told.after

        return await entries(page, None if all else limit)

    found, more = operate(service, ask)
    if json:
        write_json([asdict(letter) for letter in found])
    elif found:
        stdout().print(table_of_letters(found))
    else:
        tell("there are no dead letters")
    if more:
        tell_of_more("oldest", len(found))


@dead_letters.command()
@bundled
def show(
    subscription: SubscriptionArgument,
    event: Annotated[str, typer.Argument(metavar="EVENT_ID", help="The event.")],
    service: Remote,
    json: JsonOption = False,
) -> None:
    """Show a dead letter: its event, its attempts, and the traceback of the last one."""
    from dataclasses import asdict

    from service_kit.cli.operating import operate
    from service_kit.cli.output import printable, stdout, write, write_json
    from service_kit.cli.tables import description_of_letter

    async def ask(operator: Operator) -> DeadLetter:
        return await operator.manager.dead_letter(subscription, event)

    letter = operate(service, ask)
    if json:
        write_json(asdict(letter))
    else:
        stdout().print(description_of_letter(letter))
        write(f"\n{printable(letter.traceback).rstrip()}\n")


@dead_letters.command()
@bundled
def redrive(
    subscription: SubscriptionArgument,
    service: Remote,
    event: Annotated[str | None, typer.Option(metavar="ID", help="Only this event.")] = None,
) -> None:
    """Deliver dead letters of a subscription again, all or one."""
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell

    async def ask(operator: Operator) -> int:
        return await operator.manager.redrive(subscription, event)

    count = operate(service, ask)
    if not count:
        of_event = f" for event '{event}'" if event is not None else ""
        raise CliError(
            f"subscription '{subscription}' has no dead letter{of_event}",
            "`service-kit dead-letters list` has them",
        )
    tell(f"{count} {'letter is' if count == 1 else 'letters are'} delivered again to '{subscription}'")


@dead_letters.command()
@bundled
def discard(
    subscription: SubscriptionArgument,
    events: Annotated[list[str], typer.Argument(metavar="EVENT_ID...", help="The events.")],
    service: Remote,
) -> None:
    """Give dead letters of a subscription up: these events are not delivered to it again.

    What is no dead letter any more is left as it is, so that the command may be repeated.
    """
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell

    async def ask(operator: Operator) -> Discarded:
        return await operator.manager.discard(subscription, *events)

    done = operate(service, ask)
    tell(f"{done.count} {'letter of' if done.count == 1 else 'letters of'} '{subscription}' discarded")
    gone = len(set(events)) - done.count - len(done.unknown)
    if gone:
        tell(f"{gone} {'was' if gone == 1 else 'were'} no dead letter any more")
    if done.unknown:
        raise CliError(
            f"subscription '{subscription}' is not known to have had event {', '.join(map(repr, done.unknown))}",
            "`service-kit dead-letters list` has what can be discarded",
        )
