"""Several processes that serve on one socket, each replaced when it dies."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TypeAlias

from service_kit.hosts.local.processes import BROKEN, SPAWN, spawn, told_by_signals
from service_kit.hosts.local.server import MARGIN_S

logger: logging.Logger = logging.getLogger("service_kit.host")

Announce: TypeAlias = Callable[[str], None]

Run: TypeAlias = Callable[[socket.socket, Announce], None]
"""What a worker does: serve, and announce what, when it does. It may exit with `BROKEN`."""

STEADY_S = 10.0
"""A worker that has lived for so long did not die of its start."""
MOST_FAILURES = 5
"""Of one worker in a row, none of which became steady, while no other one is: then it is no accident."""
BACKOFF_S, BACKOFF_MAX_S = 0.1, 10.0


class WorkersFailed(Exception):
    """There is no use in starting workers again."""


class WorkersBroken(WorkersFailed):
    """The first worker cannot run, and has said why."""


@dataclass(slots=True)
class Workers:
    """The parent: it owns the socket, so that nobody is refused while a worker is replaced."""

    run: Run
    """Must be picklable: each process is a fresh interpreter."""
    listener: socket.socket
    count: int
    grace_s: int
    announce: Announce
    """Called once, with what the first worker announced."""
    _workers: list[_Worker] = field(default_factory=list["_Worker"])
    _signals: list[int] = field(default_factory=list[int])

    def supervise(self) -> None:
        """Run until SIGTERM or SIGINT; raise WorkersFailed if they do not stay alive."""
        woken, waker = socket.socketpair()
        waker.setblocking(False)

        def told(number: int) -> None:
            self._signals.append(number)
            with contextlib.suppress(BlockingIOError):  # then it is awake anyway
                waker.send(b"!")

        with woken, waker, told_by_signals(told):
            try:
                self._keep(woken)
            finally:
                self._stop(woken)

    def _keep(self, woken: socket.socket) -> None:
        # The first goes ahead: a mistake is told once, and a new file is made by one process.
        self._workers = [_Worker(self)]
        while not self._signals:
            next_s = min((w.due_s for w in self._workers if w.process is None), default=None)
            self._wait(woken, self._workers, None if next_s is None else next_s - time.monotonic())
            for worker in list(self._workers):
                self._look_at(worker)

    def _look_at(self, worker: _Worker) -> None:
        text = worker.announcement()
        if text is not None and len(self._workers) < self.count:
            self.announce(text)
            self._workers += [_Worker(self) for _ in range(self.count - 1)]
        if worker.process is None:
            if worker.due_s <= time.monotonic() and not self._signals:
                worker.start()
        elif worker.process.exitcode is not None and not self._signals:
            self._replace(worker, worker.process.exitcode)

    def _replace(self, worker: _Worker, code: int) -> None:
        if code == BROKEN and not worker.announced and len(self._workers) < self.count:
            raise WorkersBroken
        pid = worker.bury()
        if worker.failures >= MOST_FAILURES and not any(other.is_steady() for other in self._workers):
            raise WorkersFailed(
                f"workers die as soon as they run: {worker.failures} in a row (the last with exit code {code})"
            )
        logger.error(
            "worker %d ended by itself (exit code %d); another one starts in %.1f s",
            pid,
            code,
            worker.pause_s(),
        )

    def _wait(self, woken: socket.socket, workers: Sequence[_Worker], limit_s: float | None) -> None:
        """Wait for a signal, an end, an announcement, or so long."""
        waited: list[int | socket.socket | Connection] = [woken]
        for worker in workers:
            waited += worker.news()
        if woken in connection.wait(waited, None if limit_s is None else max(limit_s, 0)):
            woken.recv(64)

    def _stop(self, woken: socket.socket) -> None:
        """Let every worker finish what is in flight; end those that take too long."""
        until_s = time.monotonic() + self.grace_s + 2 * MARGIN_S
        self._tell(signal.SIGTERM)
        heard = len(self._signals)
        while alive := [worker for worker in self._workers if worker.is_alive()]:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                break
            self._wait(woken, alive, left_s)
            for worker in alive:
                worker.announcement()
            if signal.SIGINT in self._signals[heard:]:
                self._tell(signal.SIGINT)  # a second Ctrl+C does not wait
            heard = len(self._signals)
        for worker in self._workers:
            worker.end()

    def _tell(self, number: int) -> None:
        for worker in self._workers:
            if worker.process is not None and worker.is_alive():
                assert worker.process.pid is not None
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.process.pid, number)


class _Worker:
    """One place among the workers, and the process that has it at the moment."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._reader: Connection | None = None
        self._began_s = 0.0
        self.process: SpawnProcess | None = None
        self.announced = False
        self.failures = 0
        """Processes in a row that did not become steady."""
        self.due_s = 0.0
        """When the next process is to start."""
        self.start()

    def start(self) -> None:
        reader, writer = SPAWN.Pipe(duplex=False)
        self.process = spawn(_run, self._workers.run, self._workers.listener, writer)
        writer.close()
        self._reader, self._began_s, self.announced = reader, time.monotonic(), False

    def news(self) -> list[int | socket.socket | Connection]:
        """Return what becomes readable when there is something to look at."""
        found: list[int | socket.socket | Connection] = []
        if self.process is not None:  # dead or not: an end that nobody has looked at yet is news
            found.append(self.process.sentinel)
        if self._reader is not None:
            found.append(self._reader)
        return found

    def announcement(self) -> str | None:
        """Return what the process has announced since the last look."""
        if self._reader is None or not self._reader.poll():
            return None
        try:
            text: str = self._reader.recv()
        except EOFError:
            self._close_reader()
            return None
        self.announced = True
        self._close_reader()
        return text

    def is_alive(self) -> bool:
        return self.process is not None and self.process.exitcode is None

    def is_steady(self) -> bool:
        return self.is_alive() and time.monotonic() - self._began_s >= STEADY_S

    def pause_s(self) -> float:
        return float(min(BACKOFF_S * 2 ** max(self.failures - 1, 0), BACKOFF_MAX_S))

    def bury(self) -> int:
        """Forget the process, which has ended, and set the time of the next one; return its pid."""
        assert self.process is not None
        pid = self.process.pid
        assert pid is not None
        lived_s = time.monotonic() - self._began_s
        self.failures = 0 if lived_s >= STEADY_S else self.failures + 1
        self.due_s = time.monotonic() + self.pause_s()
        self.process.close()
        self.process = None
        self._close_reader()
        return pid

    def end(self) -> None:
        """Kill the process if it is still there."""
        self._close_reader()
        if self.process is not None and self.is_alive():
            logger.error("worker %s does not stop, so it is killed", self.process.pid)
            self.process.kill()
            self.process.join()

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _run(run: Run, listener: socket.socket, writer: Connection) -> None:
    def announce(text: str) -> None:
        writer.send(text)
        writer.close()

    run(listener, announce)
