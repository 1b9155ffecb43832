"""A container engine, found or started, with the image that `sam local` runs functions in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.aws.tools import HOME

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = Path("/sys/class/net/docker0")
DEADLINE_S = 60.0


@contextmanager
def container_engine(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which `docker` works; skip the test, with the reason, where there can be none.

    An engine that runs already is used. Where root has `dockerd`, one is started, and ended with all that is its own.
    """
    if shutil.which("docker") is None:
        pytest.skip(
            "there is no `docker` here; install Docker, or on Debian, as root: apt-get install docker.io"
        )
    if _docker(os.environ, "info") == 0:
        yield dict(os.environ)
        return
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        pytest.skip("no container engine runs here, and only root can start one (apt-get install docker.io)")
    with _started(folder) as environment:
        yield environment


def prepare_image(environment: dict[str, str]) -> None:
    """Have the image of Lambda's Python in the engine; skip the test where it can neither be pulled nor made."""
    version = f"3.{sys.version_info.minor}"
    image = f"public.ecr.aws/lambda/python:{version}-x86_64"
    kept = HOME / f"lambda-python-{version}.tar"
    if _docker(environment, "image", "inspect", image) == 0 or _docker(environment, "pull", image) == 0:
        return
    if version != "3.11" or shutil.which("debootstrap") is None or os.geteuid() != 0:
        pytest.skip(
            f"{image} cannot be pulled here, and sam/base_image.py makes only that of Python 3.11, as root, with "
            "debootstrap (apt-get install debootstrap)"
        )
    if kept.exists():
        assert _docker(environment, "load", "-i", str(kept)) == 0
        return
    command = [sys.executable, str(ROOT / "sam" / "base_image.py")]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    # For the next engine: one that the tests start forgets all images.
    assert _docker(environment, "save", "-o", str(kept), image) == 0


@contextmanager
def _started(folder: Path) -> Iterator[dict[str, str]]:
    home = folder / "docker"
    home.mkdir()
    environment = {**os.environ, "DOCKER_HOST": f"unix://{home}/engine.sock"}
    had_bridge = BRIDGE.exists()
    places = [f"--data-root={home}/data", f"--exec-root={home}/run", f"--pidfile={home}/pid"]
    # The ports of containers are published by a proxy of its own: no rule of the machine's firewall is touched.
    command = ["dockerd", f"--host={environment['DOCKER_HOST']}", *places, "--iptables=false"]
    log = home / "engine.log"
    with log.open("w") as said:
        engine = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + DEADLINE_S
        while _docker(environment, "info") != 0:
            if engine.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"dockerd does not start here: {log.read_text().splitlines()[-1:]}")
            time.sleep(0.2)
        yield environment
    finally:
        engine.terminate()
        engine.wait(DEADLINE_S)
        if not had_bridge and BRIDGE.exists():
            subprocess.run(["ip", "link", "delete", "docker0"], check=False)


def _docker(environment: os._Environ[str] | dict[str, str], *arguments: str) -> int:
    command = ["docker", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode
