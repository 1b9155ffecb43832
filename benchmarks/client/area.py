"""Client calls: one after another, and 50 at a time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.child import Child
from benchmarks.contender import Contender, present
from benchmarks.measurement import Budget, Pace, Result, Series, paired_ratio

OURS = "client_kit over httpx"
RAW = "httpx + validate"
OURS_FAST = "client_kit over aiohttp"
CONTENDERS = (
    Contender(OURS, "benchmarks.client.ours:over_httpx", ("httpx",)),
    Contender(RAW, "benchmarks.client.raw_httpx:caller", ("httpx",)),
    Contender(OURS_FAST, "benchmarks.client.ours:over_aiohttp", ("aiohttp",)),
    Contender("aiohttp + validate (floor)", "benchmarks.client.raw_aiohttp:caller", ("aiohttp",)),
)
SCENARIOS = {"one after another": 1, "50 at a time": 50}
TIME = "x the time of raw httpx + validate"


def run(pace: Pace, say: Callable[[str], None]) -> Result:
    """Let every client call one cheap server, in turns."""
    result = Result("client")
    with ExitStack() as stack:
        server = stack.enter_context(Child("benchmarks.http.serve", "benchmarks.client.cheap_server:app"))
        url = f"http://127.0.0.1:{server.hear()['port']}"
        clients = {
            c.label: stack.enter_context(Child("benchmarks.client.worker", c.target, url))
            for c in present(CONTENDERS, result.notes.append)
        }
        for scenario, concurrency in SCENARIOS.items():
            say(f"client: {scenario}")
            result.series += _measure(clients, scenario, concurrency, pace)
    if pace.judged:
        for scenario in SCENARIOS:
            budget = Budget(f"client call over httpx, {scenario}", "<=", 1.15, TIME)
            result.judge(budget, paired_ratio(result.series, scenario, RAW, OURS))
        fast = Budget("client, fast transport, 50 at a time", ">=", 10.0, "x raw httpx")
        result.judge(fast, paired_ratio(result.series, "50 at a time", OURS_FAST, RAW))
    return result


def _measure(clients: dict[str, Child], scenario: str, concurrency: int, pace: Pace) -> list[Series]:
    """Return calls per second, and the processor time of one call: the same in calmer numbers."""
    rates = [Series(scenario, label, "calls/s") for label in clients]
    costs = [Series(f"{scenario}, processor time", label, "us per call") for label in clients]
    for client in clients.values():  # connections open, caches fill
        client.ask(seconds=pace.seconds / 4, concurrency=concurrency)
    for _ in range(pace.rounds):
        for client, rate, cost in zip(clients.values(), rates, costs, strict=True):
            answer = client.ask(seconds=pace.seconds, concurrency=concurrency)
            rate.samples.append(answer["calls_per_s"])
            cost.samples.append(answer["us_per_call"])
    return [*rates, *costs]
