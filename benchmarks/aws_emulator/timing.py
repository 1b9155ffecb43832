"""What a function does with its time: imported by the service that is measured, it writes a line for each call."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import botocore.handlers  # type: ignore[import-untyped] # it has no types

from service_kit.hosts.aws.invocation import Function, LambdaContext
from service_kit.hosts.aws.records import Event, Failures

VARIABLE = "BENCHMARK_CALLS"


class Waiting:
    """How long at least one request to AWS has been waiting for its answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = 0
        self._since_s = 0.0
        self._total_s = 0.0

    def begin(self, **_: Any) -> None:
        with self._lock:
            if self._open == 0:
                self._since_s = time.perf_counter()
            self._open += 1

    def end(self, **_: Any) -> None:
        with self._lock:
            self._open -= 1
            if self._open == 0:
                self._total_s += time.perf_counter() - self._since_s

    def total_s(self) -> float:
        with self._lock:
            return self._total_s


def install(file: Path) -> None:
    """Time all calls of functions of this process from now on."""
    waiting, call = Waiting(), Function.__call__
    botocore.handlers.BUILTIN_HANDLERS.extend(
        [("before-send", waiting.begin), ("response-received", waiting.end)]
    )

    def timed(self: Function, event: Event, context: LambdaContext | None = None) -> Failures:
        began_s, waited_s = time.perf_counter(), waiting.total_s()
        try:
            return call(self, event, context)
        finally:
            spent = {"s": time.perf_counter() - began_s, "waiting_s": waiting.total_s() - waited_s}
            with file.open("a") as lines:
                lines.write(json.dumps({"function": type(self).__name__, **spent}) + "\n")

    Function.__call__ = timed  # type: ignore[method-assign] # nothing else sees every call


if VARIABLE in os.environ:
    install(Path(os.environ[VARIABLE]))
