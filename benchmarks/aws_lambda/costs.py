"""Turn counted requests into dollars: `python -m benchmarks.aws_lambda.costs [--write]`.

Prints the tables of docs/design/costs.md, or writes them into it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.aws_lambda import requests
from benchmarks.aws_lambda.prices import MILLION, PRICES, Item
from benchmarks.aws_lambda.requests import Requests, sequential
from benchmarks.report import table

PAGE = Path(__file__).parents[2] / "docs/design/costs.md"
BEGIN, END = "<!-- tables: python -m benchmarks.aws_lambda.costs --write -->", "<!-- end of the tables -->"
STEPS = 10
"""Of the workflow that everybody is compared by."""

MEMORY_GB = 0.5
"""What a deployment gives a function unless it says otherwise."""
CALL_S, WAIT_S = 0.005, 0.010
"""What an invocation takes, and each request that it waits for: assumed, because no emulator can tell."""
STATE_S = 0.050
"""What a state of an Express workflow takes that calls a function which has next to nothing to do: assumed."""
EXPRESS_GB = 64 / 1024
HOUR_S = 3600
MONTH_MIN = 43_800


@dataclass(frozen=True, slots=True)
class Bill:
    """Dollars for one execution: what was counted, and what its functions' time would cost."""

    counted_usd: float
    time_usd: float


def bill(asked: Requests) -> Bill:
    """Return what our requests cost."""
    return _bill(
        {
            "write unit": asked.write_units,
            "read unit": asked.read_units,
            "queue request": asked.queue,
            "event": asked.events,
            "schedule": asked.schedules,
            "object written": asked.objects_written,
            "object read": asked.objects_read,
        },
        asked.invocations,
        asked.waits,
    )


def standard(transitions: int, tasks: int) -> Bill:
    """Return what a Standard workflow costs: a transition for each state, an invocation for each task."""
    return _bill({"transition": transitions}, tasks, 0)


def express(states: int, tasks: int) -> Bill:
    """Return what an Express workflow costs: the execution, and its duration in steps of 100 ms."""
    billed_s = math.ceil(round(states * STATE_S * 10, 6)) / 10
    gb_hours = billed_s * EXPRESS_GB / HOUR_S
    return _bill({"express request": 1, "express GB-hour": gb_hours}, tasks, 0)


def durable(operations: int, invocations: int) -> Bill:
    """Return what a durable function costs that waits for each of its checkpoints."""
    return _bill({"durable operation": operations}, invocations, operations)


def _bill(items: Mapping[Item, float], invocations: int, waits: int) -> Bill:
    counted: dict[Item, float] = {**items, "invocation": invocations}
    seconds = invocations * CALL_S + waits * WAIT_S
    return Bill(
        sum(PRICES[item].each_usd * number for item, number in counted.items()),
        seconds * MEMORY_GB * PRICES["GB-second"].each_usd,
    )


def render() -> str:
    """Return the part of the page that follows from counts and prices."""
    parts = [
        "### A million steps",
        *table(["ten steps, one after another", "requests", "time", "sum"], _steps()),
        "### A million executions",
        *table(["of a workflow with", "ours", "Standard", "durable function"], _workflows()),
        "### A month in which nothing happens",
        *table(["", "requests", "time", "sum"], _idle()),
        "### Requests of one execution",
        *table(
            [
                "",
                "items written",
                "write units",
                "read units",
                "invocations",
                "SQS",
                "events, schedules",
                "S3",
            ],
            _requests(),
        ),
        "### Prices",
        *table(["", "dollars", "source", "of"], _prices()),
    ]
    return "\n".join(_spaced(parts))


def _steps() -> Iterator[list[str]]:
    rows = {
        "ours, queued tasks": bill(sequential(queued=STEPS)),
        "ours, inline tasks": bill(sequential(inline=STEPS)),
        "Step Functions Standard": standard(STEPS, STEPS),
        "Step Functions Express": express(STEPS, STEPS),
        "Lambda durable function": durable(STEPS + 1, 1),
    }
    for name, one in rows.items():
        counted, time = (usd * MILLION / STEPS for usd in (one.counted_usd, one.time_usd))
        yield [name, _usd(counted), _usd(time), _usd(counted + time)]


def _workflows() -> Iterator[list[str]]:
    width = requests.WIDTH
    rows: list[tuple[str, Requests, Bill, Bill]] = [
        ("no step at all", requests.NOTHING, standard(1, 0), durable(1, 1)),
        *(
            (f"{n:,} queued steps", sequential(queued=n), standard(n, n), durable(n + 1, 1))
            for n in (10, 100, 1_000)
        ),
        *(
            (f"{n:,} inline steps", sequential(inline=n), standard(n, n), durable(n + 1, 1))
            for n in (10, 100, 1_000)
        ),
        ("a timer", requests.TIMER, standard(1, 0), durable(2, 2)),
        ("a timer of more than 15 minutes", requests.LATE_TIMER, standard(1, 0), durable(2, 2)),
        ("a child that does nothing", requests.CHILD, standard(2, 0), durable(3, 3)),
        ("a signal that it waits for", requests.SIGNAL, standard(1, 0), durable(2, 2)),
        (
            f"{width} tasks at once, answered one by one",
            requests.FAN_OUT,
            standard(width + 1, width),
            durable(width + 2, 1),
        ),
        (
            f"{width} tasks at once, answered together",
            requests.FAN_OUT_TOGETHER,
            standard(width + 1, width),
            durable(width + 2, 1),
        ),
    ]
    for name, asked, *others in rows:
        yield [name, *(_usd(MILLION * (b.counted_usd + b.time_usd)) for b in (bill(asked), *others))]


def _idle() -> Iterator[list[str]]:
    one = bill(requests.IDLE_MINUTE)
    counted, time = one.counted_usd * MONTH_MIN, one.time_usd * MONTH_MIN
    yield [f"{MONTH_MIN:,} looks of the sweeper", _usd(counted), _usd(time), _usd(counted + time)]


def _requests() -> Iterator[list[str]]:
    rows = {
        "a queued step": requests.QUEUED_STEP,
        "an inline step": requests.INLINE_STEP,
        "begin and end, with steps": requests.AROUND_STEPS,
        "begin and end, without": requests.NOTHING,
        "a timer": requests.TIMER,
        "a timer of more than 15 minutes": requests.LATE_TIMER,
        "a child that does nothing": requests.CHILD,
        "a signal that it waits for": requests.SIGNAL,
        f"one queued step, answered by {requests.LARGE_KB} KB": requests.LARGE,
        f"{requests.WIDTH} tasks, answered one by one": requests.FAN_OUT,
        f"{requests.WIDTH} tasks, answered together": requests.FAN_OUT_TOGETHER,
        "an event of a workflow, to one subscription": requests.EVENT,
        "an event of a command, to one subscription": requests.COMMAND_EVENT,
        "forgetting a queued step": requests.FORGOTTEN_QUEUED_STEP,
        "forgetting an inline step": requests.FORGOTTEN_INLINE_STEP,
        "a minute in which nothing happens": requests.IDLE_MINUTE,
    }
    for name, one in rows.items():
        numbers = (
            one.writes,
            one.write_units,
            one.read_units,
            one.invocations,
            one.queue,
            one.events + one.schedules,
            one.objects_written + one.objects_read,
        )
        yield [name, *(f"{number:g}" for number in numbers)]


def _prices() -> Iterator[list[str]]:
    for item, price in PRICES.items():
        per = {1: "", 1_000: " / 1,000", MILLION: " / million"}[price.per]
        yield [f"{price.service}: {item}", f"{price.usd:.10g}{per}", price.source, price.dated]


def _usd(amount: float) -> str:
    return f"${amount:,.2f}" if amount < 100 else f"${amount:,.0f}"


def _spaced(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("#"):
            yield from ("", line, "")
        else:
            yield line


def with_tables(page: str) -> str:
    """Return the page with its tables written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{render()}\n\n{END}{after}"


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.aws_lambda.costs", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    if parser.parse_args().write:
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(render())


if __name__ == "__main__":
    main()
