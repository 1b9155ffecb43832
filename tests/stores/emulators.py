"""AWS without AWS: two independent emulators on loopback, each started once for a test run, and ended with it."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.error import URLError

REGION = "us-east-1"
START_S = 60.0


def client_options(emulator: str) -> dict[str, Any]:
    """Return what sends a client of boto3 to an emulator, which is started if it does not run."""
    return {
        "endpoint_url": endpoint(emulator),
        "region_name": REGION,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }


@cache
def endpoint(emulator: str) -> str:
    """Return the URL of an emulator."""
    return EMULATORS[emulator]()


def _moto() -> str:
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    application, one_at_a_time = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def serve(environ: Any, start_response: Any) -> Any:
        # DynamoDB looks at a condition and writes in one step; moto, in its threads, does not.
        with one_at_a_time:
            return application(environ, start_response)

    server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, name="moto", daemon=True).start()
    atexit.register(server.shutdown)
    return f"http://127.0.0.1:{server.port}"


def _ministack() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        env={
            **os.environ,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
            "MINISTACK_REGION": REGION,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(_end, process)
    url = f"http://127.0.0.1:{port}"
    until_s = time.monotonic() + START_S
    while not _answers(f"{url}/_ministack/health"):
        if process.poll() is not None or time.monotonic() > until_s:
            raise RuntimeError(f"ministack did not start: exit code {process.poll()}")
        time.sleep(0.05)
    return url


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except (URLError, OSError):
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


EMULATORS: dict[str, Callable[[], str]] = {"moto": _moto, "ministack": _ministack}
