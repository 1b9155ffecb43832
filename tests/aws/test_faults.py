"""Faults in a stack on the emulator: whatever goes wrong, the invariants of the simulator hold, and results are right.

Programs that the simulator has made at random are performed by deployed functions, each with a clock of its own that is
off by up to 0.9 s. Faults are injected at the transport of boto3 (`injection`), and between streams, queues and
functions (`lanes`); what is checked is what the table's stream tells (`witness`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest

from client_kit.executions import StartOptions
from service_kit.runtime.records import ExecutionRecord
from service_kit.testing.simulation.programs import Step
from service_kit.testing.simulation.service import program
from tests.aws.emulator import Emulator
from tests.aws.endurance import PATIENCE_S, SKEW_S, Caller, Ordeal, brief, ordeal
from tests.aws.witness import Witness

SEEDS = brief(2)
MANY_SEEDS = brief(40)


@pytest.fixture(scope="module")
def place(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordeal]:
    with ordeal(aws, "ordeal", tmp_path_factory.mktemp("ordeal")) as made:
        yield made


def test_programs_end_as_anywhere_though_handlers_raise_and_writes_fail(place: Ordeal) -> None:
    """Throttled, met by other transactions, refused with 500, done without an answer, done twice; tasks that raise."""
    faults = {
        "refused": 0.04,
        "conflict": 0.04,
        "broken": 0.04,
        "unheard": 0.04,
        "again": 0.04,
        "raises": 0.2,
    }
    assert asyncio.run(place.endure("writes", SEEDS, **faults)) == []
    assert place.happened().keys() & {"refused", "broken", "unheard", "again"}


def test_programs_end_as_anywhere_though_streams_and_queues_repeat_and_mix(place: Ordeal) -> None:
    place.mapping.disorder.repeated = place.mapping.disorder.mixed = 0.5
    try:
        assert asyncio.run(place.endure("batches", SEEDS)) == []
    finally:
        place.mapping.disorder.repeated = place.mapping.disorder.mixed = 0.0
    assert place.happened().keys() >= {"repeated", "mixed"}


def test_programs_end_as_anywhere_though_functions_die_at_work_and_around_any_request(place: Ordeal) -> None:
    """A claim holds until the end of its function's time, then the next attempt runs; the first one is counted."""
    faults = {"death_before": 0.02, "death_after": 0.02, "death_at_work": 0.1}
    assert asyncio.run(place.endure("deaths", SEEDS, **faults)) == []


@pytest.mark.long
def test_many_programs_end_as_anywhere_though_everything_goes_wrong_at_once(place: Ordeal) -> None:
    faults = {
        "refused": 0.01,
        "conflict": 0.01,
        "broken": 0.01,
        "unheard": 0.01,
        "again": 0.02,
        "raises": 0.1,
    }
    deaths = {"death_before": 0.005, "death_after": 0.005, "death_at_work": 0.05}
    place.mapping.disorder.repeated = place.mapping.disorder.mixed = 0.2
    try:
        assert asyncio.run(place.endure("all", MANY_SEEDS, **faults, **deaths)) == []
    finally:
        place.mapping.disorder.repeated = place.mapping.disorder.mixed = 0.0


def test_what_a_dead_worker_had_sent_changes_nothing_when_it_arrives_after_the_next_attempt(
    place: Ordeal,
) -> None:
    """The worker is gone with its answer on the wire; its claim runs out, and the next attempt ends the task."""

    async def run() -> None:
        gateway, witness = place.caller.gateway, Witness(place.host, SKEW_S)
        with place.going_wrong(held=1.0):
            await gateway.start("trying", "{}", StartOptions(id="held"))
            while not place.held.exists():
                await asyncio.sleep(0.05)
        outcome = await gateway.outcome("held", PATIENCE_S)
        late = json.loads(place.held.read_text())
        answer = httpx.post(late["url"], content=late["body"], headers=late["headers"], trust_env=False)
        assert "ConditionalCheckFailedException" in answer.text, answer.text
        assert '["ExecutionSucceeded","2"' in str(outcome)
        assert await gateway.outcome("held", None) == outcome
        assert await place.ended(witness, PATIENCE_S)
        attempts = witness.world.attempts
        assert [attempts[key] for key in attempts if key.startswith("held:")] == [[1, 2]]
        assert await witness.violations(place.declarations) == []

    asyncio.run(run())


def test_a_poisoned_record_parks_its_execution_which_is_told_and_the_others_go_on(place: Ordeal) -> None:
    poison = {"pk": {"S": "x#poisoned"}, "sk": {"S": "a#poison"}, "body": {"S": "no arrival"}}

    async def run() -> None:
        caller = place.caller
        table, name = place.stack.client("dynamodb"), place.stack.outputs["Table"]
        waiting = Step("receive", 1)
        await _start(caller, "poisoned", waiting)
        await _start(caller, "healthy", Step("steps", 1, steps=(waiting,)))
        while (await _record(place, "poisoned")).turn == 0:
            await asyncio.sleep(0.05)
        table.put_item(TableName=name, Item=poison)
        while (reason := (await _record(place, "poisoned")).paused) is None:
            await asyncio.sleep(0.05)
        assert "cannot be read" in reason
        await caller.gateway.signal("healthy", "s1", '"m"', "healthy/s1/m")
        assert '"m"' in str(await caller.gateway.outcome("healthy", PATIENCE_S)).replace("\\", "")
        logs = place.stack.client("logs").filter_log_events(
            logGroupName=place.stack.outputs["OrchestratorLogs"],
            filterPattern='"is paused:"',
        )
        assert any("poisoned" in event["message"] for event in logs["events"])
        table.delete_item(TableName=name, Key={key: poison[key] for key in ("pk", "sk")})
        await caller.management.pause("poisoned", None)
        await caller.gateway.signal("poisoned", "s1", '"m"', "poisoned/s1/m")
        assert '"m"' in str(await caller.gateway.outcome("poisoned", PATIENCE_S)).replace("\\", "")

    asyncio.run(run())


async def _record(place: Ordeal, id: str) -> ExecutionRecord:
    record = await place.host.store.executions.read(id)
    assert record is not None, id
    return record


async def _start(caller: Caller, id: str, step: Step) -> None:
    payload = program.calls.encode_arguments({"id": id, "step": step, "done": ""})
    await caller.gateway.start(program.name, payload, StartOptions(id=id))
