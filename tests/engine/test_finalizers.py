"""Cleanup of objects that happens inside a turn is not taken for what the workflow does."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from service_kit.errors import NonDeterminismError
from tests.engine.driving import Execution, task


def use(action: Callable[[], object]) -> None:
    """Run `action` in a workflow."""

    async def uses() -> None:
        action()
        await task("after")

    Execution(uses, cold=False).start()


def _ends_badly() -> Generator[None]:
    try:
        yield
    finally:
        raise ValueError("nobody can be told")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("hook", [sys.__unraisablehook__, None], ids=["the interpreter's", "pytest's"])
def test_finalizer_that_raises_is_told_and_fails_no_turn(
    hook: Callable[[Any], None] | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if hook is not None:
        monkeypatch.setattr(sys, "unraisablehook", hook)

    def leave() -> None:
        left = _ends_badly()
        next(left)
        del left

    use(leave)
    assert hook is None or "nobody can be told" in capsys.readouterr().err

    def leave_and_read() -> None:
        leave()
        open(__file__)  # noqa: PTH123, SIM115 - it is what users write

    with pytest.raises(NonDeterminismError, match="files"):
        use(leave_and_read)


def test_garbage_of_the_host_is_not_collected_inside_a_turn(tmp_path: Path) -> None:
    def write_at_its_end(path: Path) -> Generator[None]:
        try:
            yield
        finally:
            path.write_text("collected")

    def leave_garbage() -> None:
        cycle: list[object] = [left := write_at_its_end(tmp_path / "host")]
        cycle.append(cycle)
        next(left)

    def run_long() -> None:
        leave_garbage()
        assert len([[] for _ in range(100_000)]) == 100_000  # far more than the collector lets pass

    use(run_long)
    gc.collect()
    assert (tmp_path / "host").read_text() == "collected"


def test_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        use(lambda: None)
        assert not gc.isenabled()
    finally:
        gc.enable()
    use(lambda: None)
    assert gc.isenabled()


def test_collector_goes_on_when_turns_of_several_threads_are_over() -> None:
    """The second begins in the first, and ends after it; the third as the second goes on."""
    begun, over = [threading.Event() for _ in range(3)], [threading.Event() for _ in range(3)]
    collects: list[bool] = []

    def take_a_turn(number: int) -> None:
        def wait() -> None:
            begun[number].set()
            over[number].wait(30)

        use(wait)

    threads = [threading.Thread(target=take_a_turn, args=(number,)) for number in range(3)]
    for step in ("begin 0", "begin 1", "end 0", "begin 2", "end 1", "end 2"):
        what, number = step.split()
        if what == "begin":
            threads[int(number)].start()
            begun[int(number)].wait(30)
        else:
            over[int(number)].set()
            threads[int(number)].join(30)
        collects.append(gc.isenabled())
    assert collects == [False] * 5 + [True]
