"""What chores run side by side: whose lines they are, and how it ends at an interrupt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

import chores


class _OneThread(ThreadPoolExecutor):
    """Tells what runs there when it has got all of its work, and when it takes up no more."""

    def __init__(self) -> None:
        super().__init__(1)
        self.filled = threading.Event()
        self.closed = threading.Event()

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = super().submit(*args, **kwargs)
        if self._work_queue.qsize():
            self.filled.set()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        self.closed.set()
        super().shutdown(wait=wait)


def test_what_has_not_begun_at_an_interrupt_never_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    pool = _OneThread()

    def be_interrupted() -> None:
        begun.append("first")
        pool.filled.wait(30)
        for _ in range(300):
            # One that comes just before the main thread falls asleep does not wake it; the next one does.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            if pool.closed.wait(0.1):
                break

    def interrupted_once(_: int, __: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    def one_thread(_: int | None) -> _OneThread:
        return pool

    monkeypatch.setattr(chores, "ThreadPoolExecutor", one_thread)
    before = signal.signal(signal.SIGINT, interrupted_once)
    try:
        with pytest.raises(KeyboardInterrupt):
            chores._together(be_interrupted, lambda: begun.append("second"))
    finally:
        signal.signal(signal.SIGINT, before)
        pool.shutdown()
    assert begun == ["first"]


def test_each_line_of_what_runs_side_by_side_says_whose_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    count = "for n in range(50): print(f'line {n}', flush=True)"
    fail = "import sys; print('mend me', file=sys.stderr); sys.exit(3)"
    with pytest.raises(chores.ChoreError, match=r"the second failed \(exit status 3\)\n    mend it"):
        chores._together(
            partial(chores._run, "the first", sys.executable, "-c", count, cure=""),
            partial(chores._run, "the second", sys.executable, "-c", fail, cure="mend it"),
        )
    said = capfd.readouterr()
    lines = said.out.splitlines()
    assert [line for line in lines if "the first" in line] == [
        "==> the first",
        *(f"the first | line {number}" for number in range(50)),
    ]
    assert [line for line in lines if "the second" in line] == ["==> the second", "the second | mend me"]
    assert (len(lines), said.err) == (53, "")


INTERRUPTED = """
import chores, signal, sys
from functools import partial

signal.signal(signal.SIGINT, getattr(signal, sys.argv[1]))  # whatever this was started from
signal.signal(signal.SIGTERM, signal.default_int_handler)  # as chores.py does
chores.os.cpu_count = lambda: 2
code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
waiting = [partial(chores._run, name, sys.executable, "-c", code, cure="") for name in "ab"]
chores._together(*waiting, partial(chores._run, "later", sys.executable, "-c", "", cure=""))
"""


@pytest.mark.skipif(os.name == "nt", reason="there are no process groups")
@pytest.mark.parametrize(
    ("ctrl_c", "sent", "last_words"),
    [
        ("default_int_handler", signal.SIGINT, {"a | KeyboardInterrupt", "b | KeyboardInterrupt"}),
        ("SIG_IGN", signal.SIGTERM, set[str]()),
    ],
    ids=["on a terminal", "in the background of a script"],
)
def test_an_interrupt_of_one_process_alone_ends_what_it_runs_side_by_side(
    ctrl_c: str, sent: signal.Signals, last_words: set[str]
) -> None:
    command = [sys.executable, "-c", INTERRUPTED, ctrl_c]
    running = list[int]()
    with subprocess.Popen(
        command, cwd=chores.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline().decode().strip() for _ in range(4)]
            running += [int(line.partition(" | ")[2]) for line in lines if " | " in line]
            assert sorted(line.partition(" | ")[0] for line in lines) == ["==> a", "==> b", "a", "b"]
            process.send_signal(sent)
            assert process.wait(60) == -signal.SIGINT
            said = process.stdout.read().decode()
            assert last_words <= set(said.splitlines())
            assert "later" not in said
            for pid in running:
                with pytest.raises(ProcessLookupError):
                    os.kill(pid, 0)
        finally:
            process.kill()
            for pid in running:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
