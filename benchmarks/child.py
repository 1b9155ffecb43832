"""Child processes that answer questions: one line of JSON each way, until their input ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

from benchmarks.measurement import CannotMeasure

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Installed packages come with bytecode; without a cache, modules of this tree alone would be compiled each time."""


class Child(AbstractContextManager["Child"]):
    """A fresh interpreter running one module; it ends when its input is closed, so none outlives its parent."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._name = " ".join((module, *arguments))
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=ENVIRONMENT,
        )

    def hear(self) -> Any:
        """Return the child's next line; raise CannotMeasure if it died instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise CannotMeasure(
                f"'{self._name}' ended with status {self._process.wait()}; its own words are above"
            )
        return json.loads(line)

    def ask(self, **question: Any) -> Any:
        """Send a question and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self.hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def tell(answer: object) -> None:
    """Write one line to the parent."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def answer_questions(answer: Callable[[dict[str, Any]], object]) -> None:
    """Answer the parent's questions until there are no more."""
    for line in sys.stdin:
        tell(answer(json.loads(line)))
