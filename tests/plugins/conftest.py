"""The todo service as a process of its own, and programs that call it from theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

pytest.register_assert_rewrite("tests.plugins.orders_acceptance")

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK_ONLY = {"ANTHROPIC_API_KEY": "", "OPENAI_API_KEY": "", "NO_PROXY": "*"}
"""Tests call no model outside, and no proxy, whoever runs them."""

Run: TypeAlias = Callable[..., str]


@contextmanager
def served(factory: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Serve as the README says, on a free port; yield the URL."""
    command = [sys.executable, "-m", "uvicorn", "--factory", factory, "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            said = list[str]()
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    yield found[0]
                    break
            else:
                pytest.fail(f"the server did not start:\n{''.join(said)}")
        finally:
            process.terminate()
            process.communicate()


@pytest.fixture
def url() -> Iterator[str]:
    with served("plugins.todo.service:Todos.asgi", {}) as found:
        yield found


@pytest.fixture
def secured_url() -> Iterator[str]:
    keys = {"TODO_API_KEYS": "ann=secret-of-ann,ben=secret-of-ben"}
    with served("plugins.todo.secured:SecuredTodos.asgi", keys) as found:
        yield found


@pytest.fixture
def run() -> Run:
    """Run a program of the repository; return what it printed, or fail with what it complained of."""

    def start(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **LOOPBACK_ONLY, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert not done.stderr, "a program that people try out prints no warnings"
        return done.stdout

    return start
