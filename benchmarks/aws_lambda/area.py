"""Lambda: a warm call through each adapter, and the import of each handler module."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from benchmarks.aws_lambda.packages import sizes
from benchmarks.child import ENVIRONMENT, ROOT, Child
from benchmarks.contender import Contender, present
from benchmarks.measurement import Budget, Pace, Result, Series, find, paired_ratio

HANDLERS = "benchmarks.aws_lambda.handlers"
OURS = "service_kit"
PEER = "FastAPI + Mangum"
OUR_HANDLER = Contender(OURS, f"{HANDLERS}.ours:handler")
FASTAPI = Contender(PEER, f"{HANDLERS}.fastapi_mangum:handler", ("fastapi", "mangum"))
POWERTOOLS_1 = Contender("Powertools", f"{HANDLERS}.powertools_1:handler", ("aws-lambda-powertools",))
POWERTOOLS_2 = Contender("Powertools", f"{HANDLERS}.powertools_2:handler", ("aws-lambda-powertools",))
CHALICE = Contender("Chalice", f"{HANDLERS}.chalice_app:handler", ("chalice",))
BARE = Contender("bare handler (floor)", f"{HANDLERS}.bare:handler")
PYDANTIC = Contender("models alone, bare pydantic (floor)", f"{HANDLERS}.models:Placement")

ADAPTERS = {
    "2.0": (OUR_HANDLER, FASTAPI, POWERTOOLS_2, BARE),
    "1.0": (OUR_HANDLER, FASTAPI, POWERTOOLS_1, CHALICE, BARE),
}
STARTS: tuple[tuple[Contender, list[str]], ...] = (
    (OUR_HANDLER, ["2.0"]),
    (FASTAPI, ["2.0"]),
    (POWERTOOLS_2, ["2.0"]),
    (CHALICE, ["1.0"]),
    (BARE, ["2.0"]),
    (PYDANTIC, []),
)
"""With the payload version of the first call, where there is something to call."""
IMPORT = "import"
WORKER_IMPORT = "import of each function"
WORKERS = (
    OUR_HANDLER,
    *(
        Contender(f"{OURS}, {what}", f"service_kit.hosts.aws{module}:handler")
        for module, what in (
            ("", "API with workflows"),
            (".orchestrator", "orchestrator"),
            (".relay", "relay"),
            (".tasks", "tasks"),
            (".subscriptions", "subscriptions"),
            (".timers", "timers"),
            (".sweeper", "sweeper"),
        )
    ),
    FASTAPI,
    POWERTOOLS_2,
    CHALICE,
)
"""Ours are of a service with one of each, in the environment that a deployment gives them; all but the first import
boto3 and make their clients, which an application of the others has yet to do."""
DEPLOYED = {
    "SERVICE": f"{HANDLERS}.durable:Orders",
    "SERVICE_KIT_TABLE": "orders",
    "SERVICE_KIT_BUS": "orders",
    "SERVICE_KIT_QUEUE_PREFIX": "orders-",
    "SERVICE_KIT_TIMERS": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders-timers",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
START = "from benchmarks.aws_lambda.start import main; main()"


def run(pace: Pace, say: Callable[[str], None]) -> Result:
    """Call warm handlers in turns, then import each in fresh processes, in turns."""
    result = Result("lambda")
    for payload, contenders in ADAPTERS.items():
        say(f"lambda: warm calls, payload {payload}")
        result.series += _call(present(contenders, result.notes.append), payload, pace)
    result.notes.append("Chalice reads payload 1.0 alone.")
    say("lambda: starts")
    payloads = dict(STARTS)
    starts = [(c, payloads[c]) for c in present(list(payloads), result.notes.append)]
    result.series += _start(starts, pace)
    say("lambda: start of each function, and its code")
    workers = [(c, list[str]()) for c in present(WORKERS, result.notes.append)]
    for series in _start(workers, pace):
        result.series.append(replace(series, scenario=WORKER_IMPORT))
    result.series += sizes()
    if pace.judged:
        _judge(result)
    return result


def _judge(result: Result) -> None:
    for payload in ADAPTERS:
        ours = find(result.series, _scenario(payload), OURS)
        budget = Budget(f"Lambda adapter, small body, warm, payload {payload}", "<=", 15.0, "us")
        result.judge(budget, ours.median if ours else None)
    budget = Budget("import of a Lambda command handler", "<=", 0.45, f"x {PEER}")
    result.judge(budget, paired_ratio(result.series, IMPORT, OURS, PEER))


def _scenario(payload: str) -> str:
    return f"warm call, payload {payload}"


def _call(contenders: list[Contender], payload: str, pace: Pace) -> list[Series]:
    series = [Series(_scenario(payload), c.label, "us per call") for c in contenders]
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Child("benchmarks.aws_lambda.worker", c.target, payload)) for c in contenders
        ]
        for worker in workers:  # the interpreter specialises what runs often
            worker.ask(seconds=pace.seconds / 4)
        for _ in range(pace.rounds):
            for one, worker in zip(series, workers, strict=True):
                one.samples.append(worker.ask(seconds=pace.seconds / 4))
    return series


def _start(starts: list[tuple[Contender, list[str]]], pace: Pace) -> list[Series]:
    """Return milliseconds of processor time: of the import, and of the import with the first call."""
    series: dict[tuple[str, str], Series] = {}
    for start in starts:  # bytecode is written, and in the page cache
        _start_once(*start)
    for _ in range(pace.starts):
        for contender, payload in starts:
            for what, ms in _start_once(contender, payload).items():
                one = series.setdefault((what, contender.label), Series(what, contender.label, "ms"))
                one.samples.append(ms)
    return sorted(series.values(), key=lambda one: one.scenario)


def _start_once(contender: Contender, payload: list[str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", START, contender.target, *payload],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**ENVIRONMENT, **DEPLOYED},
    )
    times: dict[str, float] = json.loads(done.stdout)
    return times
