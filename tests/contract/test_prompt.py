"""Prompts: what is a mistake in one, and the texts that they make of texts."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import Field

from service_kit import DefinitionError, Prompt, Service, prompt
from service_kit.contract.prompt import InvalidPromptArguments
from service_kit.contract.service import contract_of


@prompt
def plan_day(
    day: Annotated[date, Field(description="the day to plan")], mood: Literal["calm", "busy"] = "calm"
) -> str:
    """Plan a day with what is due."""
    return f"Plan {day:%A} and keep it {mood}."


def test_arguments_are_read_from_texts_by_their_types() -> None:
    assert asyncio.run(plan_day.render({"day": "2030-04-15"})) == "Plan Monday and keep it calm."
    assert asyncio.run(plan_day.render({"day": "2030-04-15", "mood": "busy"})).endswith("keep it busy.")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "prompt 'plan_day' needs the argument 'day'"),
        ({"day": "soon"}, "argument 'day' does not fit: Input should be a valid date"),
        (
            {"day": "2030-04-15", "mood": "wild"},
            "argument 'mood' does not fit: Input should be 'calm' or 'busy'",
        ),
        ({"day": "2030-04-15", "hour": "9"}, "prompt 'plan_day' has no argument 'hour'"),
    ],
)
def test_arguments_that_do_not_fit_are_named(given: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidPromptArguments, match=told):
        asyncio.run(plan_day.render(given))


def test_a_prompt_says_of_itself_what_a_menu_shows() -> None:
    assert (plan_day.name, plan_day.title) == ("plan_day", "Plan day")
    assert plan_day.description == "Plan a day with what is due."
    assert [tuple(argument) for argument in plan_day.arguments] == [
        ("day", "the day to plan", True),
        ("mood", "", False),
    ]


def test_options_say_it_better_than_the_function() -> None:
    @prompt(title="Tidy up", description="Clear the list.")
    async def tidy() -> str:
        return "Remove what is done."

    assert (tidy.title, tidy.description) == ("Tidy up", "Clear the list.")
    assert asyncio.run(tidy.render({})) == "Remove what is done."


def test_a_service_has_the_prompts_that_it_lists_and_subclasses_inherit_them() -> None:
    class Todos(Service, prompts=[plan_day]):
        pass

    class MoreTodos(Todos):
        pass

    assert contract_of(MoreTodos).prompts == (plan_day,)


def test_a_prompt_that_returns_no_text_is_refused_where_it_is_declared() -> None:
    with pytest.raises(DefinitionError, match="return the text: '-> str'"):

        @prompt  # type: ignore[arg-type]  # the mistake that is tested
        def count() -> int:
            return 1


def test_what_is_wrong_in_the_list_is_said_where_the_service_is_declared() -> None:
    @prompt
    def of_many(items: list[str]) -> str:
        return ", ".join(items)

    with pytest.raises(DefinitionError, match=r"parameter 'items'.*arguments of prompts are texts"):

        class Listing(Service, prompts=[of_many]):
            pass

    with pytest.raises(DefinitionError, match="list functions that @prompt declares"):

        class Plain(Service, prompts=[len]):  # type: ignore[list-item]  # the mistake that is tested
            pass

    with pytest.raises(DefinitionError, match="two prompts have the name 'plan_day'"):

        class Twice(Service, prompts=[plan_day, _another()]):
            pass


def _another() -> Prompt:
    @prompt(title="Another")
    def plan_day() -> str:
        return "Plan."

    return plan_day
