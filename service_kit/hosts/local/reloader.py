"""Run the service in a process of its own, and start it anew whenever its source is saved.

Uvicorn has a reloader, too. It begins to watch after its process has started, so that an early save is lost; it
watches virtual environments; it does not say that its process is gone; and that one outlives a killed parent.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TypeAlias

from watchfiles import PythonFilter, watch

from service_kit.hosts.local.processes import BROKEN, SPAWN, spawn, told_by_signals
from service_kit.hosts.local.server import MARGIN_S

logger: logging.Logger = logging.getLogger("service_kit.host")

Run: TypeAlias = Callable[[socket.socket, Event], None]
"""What the process does, such as `serve`; the event is shared by all of them, for what only the first one says."""

LOOK_MS = 100
"""How often the reloader looks at its process when nothing is saved."""


class WatchFailed(Exception):
    """The folders cannot be watched."""


@dataclass(frozen=True, slots=True)
class Reloader:
    """The parent: it owns the socket, so that nobody is refused while the service is away."""

    run: Run
    """Must be picklable: the process is a fresh interpreter."""
    listener: socket.socket
    folders: Sequence[Path]
    grace_s: int

    def watch(self) -> None:
        """Run until SIGTERM or SIGINT. A process that ended by itself is started again by the next save."""
        stop, announced = threading.Event(), SPAWN.Event()
        with told_by_signals(lambda _: stop.set()):
            saves = self._saves(stop)
            next(saves, None)  # from here on no save is missed
            child = _Child(self, announced)
            try:
                for changed in saves:
                    if changed:
                        logger.info("%s changed, reloading", _names(changed))
                        child.stop()
                        child = _Child(self, announced)
                    else:
                        child.look()
            finally:
                child.stop()

    def _saves(self, stop: threading.Event) -> Iterator[list[Path]]:
        """Yield the source files that were saved together, and an empty list now and then."""
        try:
            for changes in watch(
                *self.folders,
                watch_filter=_SourceFilter(),
                stop_event=stop,
                rust_timeout=LOOK_MS,
                yield_on_timeout=True,
                ignore_permission_denied=True,
            ):
                yield sorted({Path(path) for _, path in changes})
        except (OSError, RuntimeError) as error:
            raise WatchFailed(str(error)) from error


class _SourceFilter(PythonFilter):
    ignore_dirs = (*PythonFilter.ignore_dirs, "site-packages", "venv", ".ruff_cache", ".nox")


class _Child:
    """The process that serves at the moment."""

    def __init__(self, reloader: Reloader, announced: Event) -> None:
        self._limit_s = reloader.grace_s + 2 * MARGIN_S
        self._end_told = False
        self._process: SpawnProcess = spawn(reloader.run, reloader.listener, announced)

    def look(self) -> None:
        """Say once that the process has ended, if it has and did not say so itself."""
        code = self._process.exitcode
        if code is None or self._end_told:
            return
        self._end_told = True
        if code != BROKEN:
            logger.error("the service's process ended by itself (exit code %s)", code)
        logger.info("waiting for the next save")

    def stop(self) -> None:
        """Let the process finish what is in flight, and end it if it takes too long."""
        self._process.terminate()
        self._process.join(self._limit_s)
        if self._process.exitcode is None:
            logger.error("the service's process does not stop, so it is killed")
            self._process.kill()
            self._process.join()


def _names(paths: Sequence[Path]) -> str:
    here = Path.cwd()
    names = [str(p.relative_to(here) if p.is_relative_to(here) else p) for p in paths[:3]]
    more = len(paths) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
