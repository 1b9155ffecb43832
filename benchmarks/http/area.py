"""Commands over HTTP: small body and nested body, on one worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import httpx

from benchmarks.child import Child
from benchmarks.contender import Contender, present
from benchmarks.http.load import make_load, wrk_path
from benchmarks.measurement import Budget, CannotMeasure, Pace, Result, Series, paired_ratio
from benchmarks.orders import BASKET, NESTED_BODY, ORDER, SMALL_BODY, WRONG_BODY

OURS = "service_kit"
FASTAPI = "FastAPI"
SERVER = ("uvicorn", "uvloop", "httptools")
CONTENDERS = (
    Contender(OURS, "benchmarks.http.ours:app", SERVER),
    Contender(FASTAPI, "benchmarks.http.fastapi_app:app", (*SERVER, "fastapi")),
    Contender("Starlette + TypeAdapter", "benchmarks.http.starlette_app:app", (*SERVER, "starlette")),
    Contender("Litestar", "benchmarks.http.litestar_app:app", (*SERVER, "litestar")),
    Contender("raw ASGI + TypeAdapter (floor)", "benchmarks.http.floor:app", SERVER),
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of request."""

    name: str
    path: str
    body: bytes
    answer: object
    budget: Budget


SCENARIOS = (
    Scenario(
        "small body",
        "/orders",
        SMALL_BODY,
        ORDER.model_dump(mode="json"),
        Budget("command over HTTP, small body", ">=", 3.0, "x FastAPI"),
    ),
    Scenario(
        "100-item nested list",
        "/baskets",
        NESTED_BODY,
        BASKET.model_dump(mode="json"),
        Budget("command over HTTP, 100-item nested list", ">=", 1.7, "x FastAPI"),
    ),
)


@dataclass(frozen=True, slots=True)
class Server:
    """A contender that is running."""

    label: str
    child: Child
    url: str


def run(pace: Pace, say: Callable[[str], None]) -> Result:
    """Serve every contender, check its answers, then load them in turns."""
    result = Result("http")
    wrk = wrk_path()
    if wrk is None:
        cure = "wrk is not installed, so no load was made: apt-get install wrk, or brew install wrk"
        if pace.judged:
            raise CannotMeasure(cure)
        result.notes.append(cure)
    with ExitStack() as stack:
        servers = [_serve(contender, stack) for contender in present(CONTENDERS, result.notes.append)]
        for scenario in SCENARIOS:
            for server in servers:
                _check_answers(server, scenario)
            if wrk is not None:
                say(f"http: {scenario.name}")
                result.series += _load(wrk, servers, scenario, pace)
    if pace.judged:
        for scenario in SCENARIOS:
            result.judge(scenario.budget, paired_ratio(result.series, scenario.name, OURS, FASTAPI))
    return result


def _serve(contender: Contender, stack: ExitStack) -> Server:
    child = stack.enter_context(Child("benchmarks.http.serve", contender.target))
    return Server(contender.label, child, f"http://127.0.0.1:{child.hear()['port']}")


def _check_answers(server: Server, scenario: Scenario) -> None:
    """Raise CannotMeasure unless the right body is answered rightly and a wrong one is refused."""
    url, headers = server.url + scenario.path, {"content-type": "application/json"}
    right = httpx.post(url, content=scenario.body, headers=headers)
    if right.status_code != 200 or right.json() != scenario.answer:
        raise CannotMeasure(
            f"{server.label} answers {scenario.name} with {right.status_code} {right.text[:300]}"
        )
    wrong = httpx.post(url, content=WRONG_BODY, headers=headers)
    if wrong.status_code not in (400, 422):
        raise CannotMeasure(f"{server.label} does not refuse a wrong {scenario.name}: {wrong.status_code}")


def _load(wrk: str, servers: Sequence[Server], scenario: Scenario, pace: Pace) -> list[Series]:
    """Return requests per second, and the processor time of one request: the same in calmer numbers."""
    rates = [Series(scenario.name, server.label, "requests/s") for server in servers]
    costs = [Series(f"{scenario.name}, processor time", server.label, "us per request") for server in servers]
    for server in servers:  # the interpreter specialises what runs often
        make_load(wrk, server.url + scenario.path, scenario.body, 1)
    for _ in range(pace.rounds if pace.judged else 0):
        for server, rate, cost in zip(servers, rates, costs, strict=True):
            used_s = server.child.ask()
            outcome = make_load(wrk, server.url + scenario.path, scenario.body, pace.seconds)
            rate.samples.append(outcome.requests / outcome.seconds)
            cost.samples.append((server.child.ask() - used_s) / outcome.requests * 1e6)
    return [one for one in (*rates, *costs) if one.samples]
