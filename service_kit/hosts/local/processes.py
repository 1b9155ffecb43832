"""Processes that serve: fresh interpreters, that end with the one that started them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator
from multiprocessing import connection, resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from types import FrameType
from typing import Any, TypeVarTuple

Ts = TypeVarTuple("Ts")

SPAWN: SpawnContext = multiprocessing.get_context("spawn")

BROKEN = 3
"""The exit code of a process that has said itself why it cannot run."""


def spawn(run: Callable[[*Ts], None], *arguments: *Ts) -> SpawnProcess:
    """Run a function in a fresh interpreter, which Ctrl+C ends without a word until the function handles it."""
    process = SPAWN.Process(target=_begin, args=(run, *arguments))
    resource_tracker.ensure_running()  # Python 3.11 unblocks signals when it starts this
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def _begin(run: Callable[[*Ts], None], *arguments: *Ts) -> None:
    _end_with_parent()
    with contextlib.suppress(KeyboardInterrupt):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        run(*arguments)


def _end_with_parent() -> None:
    """Let this process stop when its parent is gone, killed perhaps: nobody else would free the port."""

    def wait() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="service_kit.parent", daemon=True).start()


@contextlib.contextmanager
def told_by_signals(tell: Callable[[int], object]) -> Generator[None]:
    """Call `tell` for SIGINT and SIGTERM, with their number, for the length of the block."""

    def handle(number: int, _: FrameType | None) -> None:
        tell(number)

    before: dict[int, Any] = {sig: signal.signal(sig, handle) for sig in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)
