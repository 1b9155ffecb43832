"""When schedules come: expressions, time zones, days with 23 and 25 hours; and mistakes in their definitions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service_kit import DefinitionError, Service, workflow
from service_kit.contract.gather import gather
from service_kit.contract.schedule import Schedule
from service_kit.contract.service import contract_of

BERLIN = ZoneInfo("Europe/Berlin")


def times(cron: str, after: datetime, count: int, timezone: str = "Europe/Berlin") -> list[str]:
    schedule = Schedule("remind", cron, timezone)
    found = islice(schedule.times(after.timestamp()), count)
    return [datetime.fromtimestamp(at_s, ZoneInfo(timezone)).strftime("%d %H:%M%z") for at_s in found]


def test_a_schedule_comes_at_the_time_of_day_of_its_zone_in_summer_and_in_winter() -> None:
    assert times("0 9 * * *", datetime(2025, 3, 28, 12, tzinfo=BERLIN), 3) == [
        "29 09:00+0100",
        "30 09:00+0200",
        "31 09:00+0200",
    ]


def test_a_time_of_day_that_does_not_exist_comes_at_the_first_one_after_it() -> None:
    assert times("30 2 * * *", datetime(2025, 3, 29, 12, tzinfo=BERLIN), 2) == [
        "30 03:00+0200",
        "31 02:30+0200",
    ]


def test_a_time_of_day_that_exists_twice_comes_once() -> None:
    assert times("30 2 * * *", datetime(2025, 10, 25, 12, tzinfo=BERLIN), 2) == [
        "26 02:30+0200",
        "27 02:30+0100",
    ]
    between_the_two = datetime(2025, 10, 26, 2, 10, tzinfo=BERLIN, fold=1)
    assert times("30 2 * * *", between_the_two, 1) == ["27 02:30+0100"]


def test_every_hour_means_every_hour_that_there_is() -> None:
    assert times("0 * * * *", datetime(2025, 10, 26, 1, 30, tzinfo=BERLIN), 3) == [
        "26 02:00+0200",
        "26 02:00+0100",
        "26 03:00+0100",
    ]
    assert times("0 * * * *", datetime(2025, 3, 30, 1, 30, tzinfo=BERLIN), 1) == ["30 03:00+0200"]


@pytest.mark.parametrize(
    ("cron", "first"),
    [
        ("@hourly", "05 13:00+0000"),
        ("@daily", "06 00:00+0000"),
        ("*/20 8-10 * * MON-FRI", "05 13:00+0000"),
        ("0 0 L * *", "31 00:00+0000"),
    ],
)
def test_expressions_are_those_of_cron(cron: str, first: str) -> None:
    after = datetime(2025, 3, 5, 12, 30, tzinfo=UTC)
    expected = {"*/20 8-10 * * MON-FRI": "06 08:00+0000"}.get(cron, first)
    assert times(cron, after, 1, "UTC") == [expected]


def test_of_more_times_than_are_wanted_the_last_ones_count() -> None:
    schedule = Schedule("remind", "* * * * *")
    assert schedule.between(0, 600, 3) == [480, 540, 600]
    assert schedule.between(0, 59, 3) == []


def test_the_run_of_a_time_has_an_id_that_tells_it() -> None:
    at_s = datetime(2025, 7, 1, 9, tzinfo=BERLIN).timestamp()
    schedule = Schedule("remind", "0 9 * * *", "Europe/Berlin", parameter="at")
    assert schedule.id_at(at_s) == "remind@2025-07-01T07:00:00Z"
    assert schedule.id_at(at_s + 0.25) == "remind@2025-07-01T07:00:00.250000Z"
    assert schedule.input_at(at_s) == '{"at": "2025-07-01T09:00:00+02:00"}'


def mistake(declare: Callable[..., Any], **options: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        workflow(**options)(declare)
    return str(caught.value)


async def plain() -> None: ...


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"cron": "0 9 * *"},
            "cron '0 9 * *' is no cron expression: Wrong number of fields; give five fields",
        ),
        ({"cron": "0 25 * * *"}, "Bad hour"),
        ({"cron": 9}, "cron 9 is no cron expression: not a text"),
        ({"cron": "0 0 30 2 *"}, "Bad day-of-month"),
        ({"cron": "@daily", "timezone": "Berlin"}, "timezone 'Berlin' is not known here; give an IANA name"),
        (
            {"cron": "@daily", "overlap": "buffer"},
            "overlap is 'buffer'; give one of ['skip', 'buffer_one', 'allow']",
        ),
        ({"cron": "@daily", "catch_up_s": 0}, "catch_up_s is 0; give a positive number"),
        ({"overlap": "allow"}, "overlap says nothing without a schedule; add cron="),
    ],
)
def test_a_mistake_in_a_schedule_is_told_at_its_definition(options: dict[str, Any], said: str) -> None:
    text = mistake(plain, **options)
    assert "workflow 'plain'" in text
    assert said in text


def test_a_parameter_that_nobody_could_give_is_told_at_the_definition() -> None:
    async def remind(email: str, at: datetime) -> None: ...

    assert "nobody gives parameter 'email' when its schedule starts it; give it a default" in mistake(
        remind, cron="@daily"
    )

    async def twice(one: datetime, two: datetime) -> None: ...

    assert "nobody gives parameter 'two'" in mistake(twice, cron="@daily")


def test_a_parameter_whose_annotation_looks_forward_is_checked_with_the_service() -> None:
    namespace: dict[str, Any] = {}
    code = (
        "from __future__ import annotations\n"
        "from service_kit import workflow\n"
        "@workflow(cron='@daily')\n"
        "async def remind(what: Later) -> None: ...\n"
        "class Later: ...\n"
    )
    exec(code, namespace)

    module = type(pytest)("reminders")
    vars(module).update(namespace)

    with pytest.raises(DefinitionError, match="Later"):
        gather(contract_of(type("Other", (Service,), {}, include=[module])))
