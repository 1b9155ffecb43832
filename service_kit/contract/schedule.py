"""Schedules: when a workflow begins by itself, and what becomes of times that are late or come too early."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from service_kit.errors import DefinitionError

if TYPE_CHECKING:
    from service_kit.contract.parameters import Parameter

Overlap: TypeAlias = Literal["skip", "buffer_one", "allow"]
"""What becomes of a time that comes while the run before goes on: it is left out, waits (one does), or runs beside."""

SCHEDULER = "service_kit.scheduler"
"""The workflow whose executions keep schedules, one each; here its name alone, for those who tell it from others."""
CATCH_UP_S = 86_400.0
_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """The schedule of one workflow. Times are seconds since the epoch.

    Around changes of the clock it does as Debian's cron: a time of day that does not exist is the first one after
    it, one that exists twice is the first of the two; an expression with a star for minute or hour follows real time.
    """

    workflow: str
    cron: str
    timezone: str = "UTC"
    overlap: Overlap = "skip"
    catch_up_s: float = CATCH_UP_S
    """How late a time may be dealt with; one that is later is left out."""
    parameter: str | None = None
    """The parameter of the workflow that is given the time."""
    timeout_s: float | None = None

    def times(self, after_s: float) -> Iterator[float]:
        """Yield the times after a moment, in order; nothing if there is none within 50 years."""
        from cronsim import CronSim

        expression = _SHORT.get(self.cron.lower(), self.cron)
        last_s = after_s
        for moment in CronSim(expression, datetime.fromtimestamp(after_s, ZoneInfo(self.timezone))):
            at_s = moment.timestamp()
            if (
                at_s > last_s
            ):  # where an hour exists twice, the first one is found again from within the second
                last_s = at_s
                yield at_s

    def next_s(self, after_s: float) -> float | None:
        """Return the first time after a moment."""
        return next(self.times(after_s), None)

    def between(self, after_s: float, to_s: float, most: int) -> list[float]:
        """Return the times after a moment, until another one; of more than `most` the last ones."""
        found: deque[float] = deque(maxlen=most)
        for at_s in self.times(after_s):
            if at_s > to_s:
                break
            found.append(at_s)
        return list(found)

    def input_at(self, at_s: float) -> str:
        """Return the input of the run of a time, as JSON."""
        if self.parameter is None:
            return "{}"
        moment = datetime.fromtimestamp(at_s, ZoneInfo(self.timezone))
        text = moment.isoformat()
        return json.dumps(
            {self.parameter: text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text}
        )

    def id_at(self, at_s: float) -> str:
        """Return the id of the run of a time, equal whoever starts it: a time is run once."""
        moment = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="auto" if at_s % 1 else "seconds")
        return f"{self.workflow}@{moment.removesuffix('+00:00')}Z"


def schedule_of(at: str, workflow: str, options: Mapping[str, Any]) -> Schedule | None:
    """Return the schedule that a workflow's options say, None if they say none; raise DefinitionError."""
    beside = [option for option in ("timezone", "overlap", "catch_up_s") if option in options]
    if "cron" not in options:
        if beside:
            raise DefinitionError(at, f"{beside[0]} says nothing without a schedule", 'add cron="0 9 * * *"')
        return None
    schedule = Schedule(
        workflow,
        options["cron"],
        options.get("timezone", "UTC"),
        options.get("overlap", "skip"),
        options.get("catch_up_s", CATCH_UP_S),
        timeout_s=options.get("timeout_s"),
    )
    if schedule.overlap not in get_args(Overlap):
        raise DefinitionError(
            at, f"overlap is {schedule.overlap!r}", f"give one of {list(get_args(Overlap))}"
        )
    _check_timezone(at, schedule.timezone)
    _check_cron(at, schedule)
    return schedule


def time_parameter(at: str, parameters: tuple[Parameter, ...]) -> str | None:
    """Return the parameter that is given the scheduled time; raise DefinitionError if one cannot be filled at all."""
    required = [parameter for parameter in parameters if parameter.required]
    if not required:
        return None
    if len(required) == 1 and required[0].annotation is datetime:
        return required[0].name
    others = [parameter.name for parameter in required if parameter.annotation is not datetime]
    raise DefinitionError(
        at,
        f"nobody gives parameter '{(others or [required[-1].name])[0]}' when its schedule starts it",
        "give it a default; one parameter may be a datetime without a default, and is given the scheduled time",
    )


def _check_timezone(at: str, name: str) -> None:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError, TypeError, AttributeError):
        raise DefinitionError(
            at,
            f"timezone {name!r} is not known here",
            "give an IANA name such as 'Europe/Berlin'; on a machine without a time zone database: pip install tzdata",
        ) from None


def _check_cron(at: str, schedule: Schedule) -> None:
    from cronsim import CronSimError

    cure = "give five fields, minute hour day month weekday, such as '0 9 * * MON-FRI', or '@daily'"
    try:
        first_s = schedule.next_s(0.0)
    except (CronSimError, AttributeError) as error:
        problem = str(error) if isinstance(error, CronSimError) else "not a text"
        raise DefinitionError(at, f"cron {schedule.cron!r} is no cron expression: {problem}", cure) from None
    if first_s is None:
        raise DefinitionError(at, f"cron {schedule.cron!r} never comes", cure)
