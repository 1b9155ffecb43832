"""Workflows of ten steps on the emulator: throughput, latency of a step, and whose time it is. Nothing is judged.

While one workflow runs alone, all time is somebody's: ours is what functions spend, but for the time in which they wait
for answers. The rest is the emulator's: its answers, its streams and queues, and its way to call functions.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.aws_emulator.service import Steps
from benchmarks.aws_emulator.timing import VARIABLE
from benchmarks.measurement import Pace, Result, Series
from client_kit.executions import StartOptions
from service_kit.deploy import Deployment, DeploymentOptions
from service_kit.hosts.aws.gateway import AwsGateway, gateway_of
from service_kit.runtime.records import ExecutionRecord
from tests.aws.emulator import emulator
from tests.aws.stacks import RUNTIME, stack
from tests.aws.tools import MINISTACK, is_installed

STEPS = 10
AT_ONCE, AT_ONCE_SMOKE = 20, 2
FUNCTION_S = 60
REST_S = 1.0
"""So long after a workflow's end its last call has ended, too, and has written what it spent."""
KINDS = {"by_queue": "through a queue", "in_line": "inline"}


def run(pace: Pace, say: Callable[[str], None]) -> Result:
    """Deploy once, then measure each kind of step alone, and many at once."""
    result = Result("workflows on the emulator of AWS")
    if not is_installed(MINISTACK):
        result.notes.append(f"left out: needs {MINISTACK}, which `python3 chores.py test tests/aws` installs")
        return result
    say(f"emulator: {MINISTACK} starts")
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder)) as aws:
        calls = Path(folder, "calls")
        options = DeploymentOptions(
            runtime=RUNTIME, mcp=False, alarms=False, tracing=False, environment={VARIABLE: str(calls)}
        )
        deployment = Deployment(Steps, options)
        url = aws.environment["AWS_ENDPOINT_URL"]
        with stack(url, deployment, "steps", function_s=FUNCTION_S) as made:
            host = made.host()
            try:
                bench = _Bench(gateway_of(host), calls)
                for workflow, label in KINDS.items():
                    say(f"emulator: {STEPS} steps {label}")
                    result.series += asyncio.run(bench.measure(workflow, label, pace))
            finally:
                host.close()
    result.series.sort(key=lambda one: (one.scenario, one.unit))
    result.notes.append(
        f"{MINISTACK}, its functions as processes of this machine. Its share is what functions do not spend"
        f" themselves: the time between their calls, and in them the time until answers have come."
    )
    result.notes.append(
        "It takes one batch of each queue, then waits for the functions of all streams, and so on: many workflows at a"
        " time are hardly faster through a queue of one message a batch."
    )
    return result


@dataclass(slots=True)
class _Bench:
    gateway: AwsGateway
    calls: Path
    _started: int = 0

    async def measure(self, workflow: str, label: str, pace: Pace) -> list[Series]:
        alone = f"{STEPS} steps, one workflow at a time"
        latency = Series(alone, label, "ms a step")
        share = Series(alone, label, "% of the time that is the emulator's")
        at_once = AT_ONCE if pace.judged else AT_ONCE_SMOKE
        throughput = Series(f"{STEPS} steps, {at_once} workflows at a time", label, "steps/s")
        await self._run(workflow, 1)  # processes start, clients are made
        await asyncio.sleep(REST_S)
        for _ in range(pace.rounds):
            spent_s = self._spent_s()
            (record,) = await self._run(workflow, 1)
            await asyncio.sleep(REST_S)
            took_s = _ended_s(record) - record.created_at_s
            latency.samples.append(took_s / STEPS * 1000)
            share.samples.append(100 * (1 - min((self._spent_s() - spent_s) / took_s, 1.0)))
        for _ in range(max(1, pace.rounds // 2)):
            records = await self._run(workflow, at_once)
            took_s = max(map(_ended_s, records)) - min(record.created_at_s for record in records)
            throughput.samples.append(at_once * STEPS / took_s)
        return [latency, share, throughput]

    async def _run(self, workflow: str, count: int) -> list[ExecutionRecord]:
        names = [f"{workflow}-{self._started + number}" for number in range(count)]
        self._started += count
        payload = json.dumps({"steps": STEPS})
        await asyncio.gather(
            *(self.gateway.start(workflow, payload, StartOptions(id=name)) for name in names)
        )
        outcomes = await asyncio.gather(*(self.gateway.outcome(name, None) for name in names))
        assert all(f'"{STEPS}"' in str(outcome) for outcome in outcomes), outcomes
        records = await asyncio.gather(*(self.gateway.executions.read(name) for name in names))
        return [record for record in records if record is not None]

    def _spent_s(self) -> float:
        """Return how long functions have been busy themselves, all together."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        spent: list[dict[str, float]] = [json.loads(line) for line in lines]
        return sum(max(one["s"] - one["waiting_s"], 0.0) for one in spent)


def _ended_s(record: ExecutionRecord) -> float:
    assert record.ended_at_s is not None, f"'{record.id}' has an outcome"
    return record.ended_at_s
