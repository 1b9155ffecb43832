"""Recorded histories against today's code."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from service_kit import NonDeterminismError
from service_kit.errors import HistoryUnreadable
from service_kit.testing import Execution, Replayer, ReplaysFailed, TestEnvironment
from tests.testing import before_the_change
from tests.testing.orders import (
    Orders,
    OutOfStock,
    approve,
    approved,
    cancellable,
    parent,
    pay_at_last,
    process_order,
    process_payment,
    remind_daily,
    ship_order,
    wait_one_second,
)

Env = TestEnvironment[Orders]
HISTORIES = Path(__file__).parent / "histories"


def test_golden_histories_replay() -> None:
    assert Replayer(Orders).replay_directory(HISTORIES) == 2


def test_every_recording_replays(env: Env) -> None:
    env.mock(ship_order).raises_once(OutOfStock(sku="sku-1"))
    env.mock(process_payment).times_out_once()
    executions: list[Execution[Any]] = [
        env.start(process_order.options(timeout_s=86_400), "o-1"),
        env.start(process_order, "o-2"),
        env.start(approve, "o-3"),
        env.start(parent, "o-4"),
        env.start(pay_at_last, "o-5"),
        env.start(remind_daily, "sam@example.com", 3),
    ]
    env.signal(executions[2], approved, True)
    env.tick(200_000)
    executions[3].cancel()

    replayer = Replayer(Orders)
    for execution in executions:
        replayer.replay(execution.recording())
        replayer.replay(execution.recording().encode())
        replayer.replay(execution.history())
        replayer.replay(json.dumps(execution.history()))


def test_changed_workflow_fails_with_both_sides_and_the_line(tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text(before_the_change.record())

    with pytest.raises(NonDeterminismError) as raised:
        Replayer(Orders).replay_file(file)
    error = raised.value
    assert "'ship_order'" in error.recorded
    assert "StateSet #1 'progress'" in error.made
    assert "orders.py" in error.where
    assert error.__notes__ == [f"history: {file}"]


def test_directory_tells_all_that_do_not_replay(tmp_path: Path, env: Env) -> None:
    finished = env.start(wait_one_second, "a")
    env.tick()
    (tmp_path / "good.json").write_text(finished.recording())
    (tmp_path / "changed.json").write_text(before_the_change.record())
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "torn.json").write_text('{"v": 1')
    gone = finished.recording().replace('"wait_one_second"', '"wait_for_ever"')
    (tmp_path / "below" / "gone.json").write_text(gone)

    with pytest.raises(ReplaysFailed) as raised:
        Replayer(Orders).replay_directory(tmp_path)
    kinds = {path.name: type(error).__name__ for path, error in raised.value.failures.items()}
    assert kinds == {
        "changed.json": "NonDeterminismError",
        "torn.json": "HistoryUnreadable",
        "gone.json": "LookupError",
    }
    assert str(raised.value).splitlines()[0] == "3 of 4 histories do not replay"
    assert "'wait_for_ever' is not part of service 'orders'" in str(raised.value)


def test_directory_without_histories_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there are no histories"):
        Replayer(Orders).replay_directory(tmp_path)


@pytest.mark.parametrize(
    "text", ["[]", '[{"kind": "Unknown"}]', '[{"kind": "TurnStarted", "sun": 1}]', '{"v": 1}', "["]
)
def test_what_is_no_history_is_refused(text: str) -> None:
    with pytest.raises(HistoryUnreadable):
        Replayer(Orders).replay(text)


def test_replay_may_run_beside_a_running_loop(env: Env) -> None:
    recording = env.start(cancellable, "o-1").recording()

    async def test() -> None:
        Replayer(Orders).replay(recording)

    asyncio.run(test())
