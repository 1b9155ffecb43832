"""An environment that has nothing but `client_kit` and what it needs: where another team's program runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.running import Running
from tests.client_kit.conftest import serve as serve

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A folder of another team, and their Python."""

    python: Path
    folder: Path

    def run(self, *arguments: str) -> str:
        """Run a program there; return what it printed, or fail with what it complained of."""
        clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        done = subprocess.run(
            [str(self.python), *arguments],
            cwd=self.folder,
            env={**clean, "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert not done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package without extras into an environment of its own, and take the server's half out of it."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    quiet = ("install", "--quiet", "--disable-pip-version-check")
    command = [str(python), "-m", "pip", *quiet, "-c", str(ROOT / "constraints.txt"), str(ROOT)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"the package could not be installed:\n{ran.stdout}{ran.stderr}"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.rmtree(folder / "lib" / version / "site-packages" / "service_kit")
    return python


@pytest.fixture
def elsewhere(bare_python: Path, tmp_path: Path) -> Elsewhere:
    return Elsewhere(bare_python, tmp_path)


@pytest.fixture
def orders_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the orders plugin, workflows and all, in a process of its own."""
    folder = tmp_path_factory.mktemp("orders")
    running = Running(folder, "dev", "plugins.orders.service:Orders", "--port", "0", "--no-reload")
    try:
        yield running.url
    finally:
        running.close()


@pytest.fixture
def todo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("todo")
    running = Running(folder, "dev", "plugins.todo.service:Todos", "--port", "0", "--no-reload")
    try:
        yield running.url
    finally:
        running.close()
