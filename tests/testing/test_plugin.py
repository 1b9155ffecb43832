"""The pytest plugin, as a user's own pytest loads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.tidy.sources import ROOT

SERVICE = """
import asyncio
from service_kit import Service, task, workflow

@task
async def greet(name: str) -> str:
    return f"hello {name}"

@workflow
async def welcome(name: str) -> str:
    await asyncio.sleep(86_400)
    return await greet(name)

class Greetings(Service):
    welcome = welcome
"""

TESTS = """
import asyncio
import pytest
from service_kit.testing import TestEnvironment
from greetings import Greetings, greet, welcome

@pytest.fixture
def env(service_env):
    return service_env(Greetings)

def test_sync(env):
    assert env.run_until_complete(env.start(welcome, "sam")) == "hello sam"

def test_mocked(env):
    env.mock(greet).returns("hi")
    assert env.run_until_complete(env.start(welcome, "sam")) == "hi"

def test_async(service_env):
    async def test():
        env = service_env(Greetings)
        assert await (await welcome.start("sam")).result() == "hello sam"
        assert len(env.calls_of(greet)) == 1
    asyncio.run(test())

def test_left_running(env):
    env.start(welcome, "sam")

def test_that_fails(env):
    env.run_until_complete(env.start(welcome, "sam"))
    assert not env.calls_of(greet)
"""


def test_fixture_works_with_warnings_as_errors(tmp_path: Path) -> None:
    (tmp_path / "greetings.py").write_text(SERVICE)
    (tmp_path / "test_greetings.py").write_text(TESTS)

    done = subprocess.run(
        [
            sys.executable,
            "-X",
            "dev",
            "-m",
            "pytest",
            "-W",
            "error",
            "-p",
            "service_kit.testing.plugin",
            "-q",
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}",
            "PYTEST_ADDOPTS": "",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 failed, 4 passed" in done.stdout, done.stdout + done.stderr
    assert "test_that_fails" in done.stdout


def test_plugin_loads_nothing_of_the_service_until_it_is_used() -> None:
    program = (
        "import sys, service_kit.testing.plugin; "
        "print(sorted(m for m in sys.modules if m.startswith(('service_kit.runtime', 'pydantic', 'client_kit'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
