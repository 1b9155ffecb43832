"""What agents' catalogues refuse."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from service_kit import AwsIam, Header, Plugin, PluginAuth, Service, command
from service_kit.contract.service import contract_of
from service_kit.openapi import agent_problems


class Note(BaseModel):
    text: Annotated[str, Field(description="t" * 701)]


@command(summary="s" * 301, timeout_s=60)
async def wordy(
    note: Annotated[str, Field(description="n" * 701)],
    other: Annotated[int, Field(description="o" * 701)] = 1,
) -> None:
    """Short."""


@command(method="GET", path="/long/{key}")
async def long(key: Annotated[str, Field(description="k" * 701)]) -> None:
    """Short."""


@command(description="d" * 301)
async def keep(note: Note) -> None: ...


@command
async def fine(note: Annotated[str, Field(description="n" * 700)]) -> None:
    """Do it."""


def told(service: type[Service]) -> list[str]:
    return [str(p) for p in agent_problems(contract_of(service))]


def test_a_service_within_the_limits_has_no_problems() -> None:
    class Fine(Service):
        locals().update(fine=fine)

    assert told(Fine) == []


def test_each_limit_is_told_once_by_command_with_the_cure() -> None:
    class Wordy(Service):
        locals().update(wordy=wordy, long=long, keep=keep, fine=fine)

    problems = agent_problems(contract_of(Wordy))
    short = [(p.where.partition(" (")[0], p.problem) for p in problems]
    assert short == [
        ("command 'wordy'", "its summary has 301 characters, and agents read 300"),
        ("command 'wordy'", "descriptions of parameters exceed 700 characters: 'note', 'other'"),
        ("command 'wordy'", "it may take 60 s, and an agent waits 45 s"),
        ("command 'long'", "descriptions of parameters exceed 700 characters: 'key'"),
        ("command 'keep'", "its description has 301 characters, and agents read 300"),
        ("command 'keep'", "descriptions of parameters exceed 700 characters: 'text'"),
    ]
    assert all(p.cure for p in problems)


def test_a_summary_that_stands_in_for_the_description_is_told_once() -> None:
    @command(summary="s" * 301)
    async def silent() -> None: ...

    class Silent(Service):
        locals().update(silent=silent)

    [problem] = told(Silent)
    assert "its summary has 301 characters" in problem


def test_too_many_commands_are_told() -> None:
    class Many(Service):
        locals().update({f"fine_{n}": fine for n in range(31)})

    [problem] = told(Many)
    assert problem.startswith(
        "service 'many': it has 31 commands, and agents take about 30; split it, or publish"
    )


def test_what_the_manifest_had_to_cut_is_told() -> None:
    class AVeryLongNameForAService(Service, name="a" * 51):
        __doc__ = "w" * 8001

    where = f"service '{'a' * 51}', manifest"
    assert told(AVeryLongNameForAService) == [
        f"{where}: {field} was cut from {size} characters to {limit}; set plugin=Plugin({field}=...)"
        for field, size, limit in [
            ("name_for_model", 51, 50),
            ("name_for_human", 30, 20),
            ("description_for_model", 8001, 8000),
            ("description_for_human", 8001, 100),
        ]
    ]


def test_schemes_that_a_manifest_has_no_words_for_are_told_unless_the_plugin_says_how() -> None:
    class Signed(Service, security=[AwsIam()]):
        locals().update(fine=fine)

    class Explained(Signed, plugin=Plugin(auth=PluginAuth(type="none"))):
        pass

    [problem] = told(Signed)
    assert problem.startswith(
        "service 'signed', manifest: it has no words for the security schemes in use ('awsIam');"
    )
    assert told(Explained) == []


@command(method="GET", path="/traced/{key}")
async def a_command_whose_name_is_longer_than_any_function_of_a_model_may_have(
    key: str, trace: Annotated[str, Header()], other: Annotated[str, Header()] = ""
) -> Annotated[str, Field(max_length=100_001)]:
    """Find it."""
    return key


@command
async def store(text: Annotated[str, Field(max_length=200_000)], note: Note | None = None) -> None:
    """Store it."""


def test_names_headers_and_texts_that_actions_cannot_carry_are_told() -> None:
    class Odd(Service):
        locals().update(
            {f.name: f for f in (a_command_whose_name_is_longer_than_any_function_of_a_model_may_have, store)}
        )

    short = [(p.where.partition(" (")[0], p.problem) for p in agent_problems(contract_of(Odd))]
    where = "command 'a_command_whose_name_is_longer_than_any_function_of_a_model_may_have'"
    assert short == [
        (where, "its name has 68 characters, and functions have 64"),
        (where, "it requires headers, and actions send none: 'trace'"),
        (where, "its answer may hold a text of 100,001 characters, and agents take 100,000"),
        ("command 'store'", "its request may hold a text of 200,000 characters, and agents take 100,000"),
    ]


def test_raw_routes_count_and_are_told_of() -> None:
    summaries = ["s" * 301, *["short"] * 29]
    raw = {
        "paths": {
            f"/raw/{n}": {"get": {"operationId": f"raw_{n}", "summary": summary}}
            for n, summary in enumerate(summaries)
        }
    }

    class Mixed(Service):
        locals().update(fine=fine)

    problems = [str(p) for p in agent_problems(contract_of(Mixed), raw)]
    assert problems[0].startswith("service 'mixed': it has 31 commands")
    assert problems[1].startswith("raw route GET /raw/0: its summary has 301 characters")
    assert len(problems) == 2
