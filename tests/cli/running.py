"""A `service-kit` process as a user starts it: what it prints, and when."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60.0

T = TypeVar("T")

# The script that pip makes of an entry point.
SCRIPT = """
import sys
from service_kit.cli import main
if __name__ == "__main__":
    sys.exit(main())
"""


class Running:
    """The process, in a process group of its own, as a terminal would have it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        script = folder / "bin" / "service-kit"
        script.parent.mkdir(exist_ok=True)
        script.write_text(SCRIPT)
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._news = threading.Condition()
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        with self._news:
            return "".join(self._lines)

    @property
    def url(self) -> str:
        """Where it serves; waits until it does."""
        self.wait_for("Ctrl[+]C stops it|serving .* at ")
        found = re.search(r"http://127\.0\.0\.1:\d+", self.output)
        assert found is not None, self.output
        return found[0]

    def wait_for(self, pattern: str, times: int = 1) -> None:
        """Wait until this was printed, so many times."""
        with self._news:
            seen = self._news.wait_for(
                lambda: len(re.findall(pattern, "".join(self._lines))) >= times, timeout=DEADLINE_S
            )
        assert seen, f"no {pattern!r} in:\n{self.output}"

    def call(self, command: str, **arguments: object) -> httpx.Response:
        return httpx.post(f"{self.url}/rpc/{command}", json=arguments, timeout=DEADLINE_S)

    def manage(self, command: str, **arguments: object) -> Any:
        """Call the management API; return its answer."""
        response = self.call(f"_system.{command}", **arguments)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def answers(self, text: str) -> bool:
        """Tell whether the command 'answer' answers this; a server that is ending may hang up instead."""
        with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError):
            return bool(self.call("answer").json() == text)
        return False

    def interrupt(self) -> None:
        """Press Ctrl+C: the terminal tells the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        """Wait for the end; return the exit status."""
        status = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return status

    def close(self) -> None:
        """End what is left of the group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(DEADLINE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()


def eventually(attempt: Callable[[], T | None]) -> T:
    """Return the first result that is not None or False; fail past the deadline."""
    end = time.monotonic() + DEADLINE_S
    pause = threading.Event()
    while time.monotonic() < end:
        result = attempt()
        if result is not None and result is not False:
            return result
        pause.wait(0.02)
    raise AssertionError("it did not happen in time")
