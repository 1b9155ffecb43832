"""Each test of behaviour runs twice: with a warm instance, and with one that is replayed after every turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from service_kit.engine.failure import PLAIN, FailureCodec
from tests.engine.driving import Execution, Function

Begin: TypeAlias = Callable[..., Execution]


@pytest.fixture(params=["warm", "cold"])
def begin(request: pytest.FixtureRequest) -> Begin:
    """Return what starts an execution of a function and takes its first turn."""

    def start(
        function: Function, input: object = None, *, failures: FailureCodec = PLAIN, **started: Any
    ) -> Execution:
        execution = Execution(function, cold=request.param == "cold", failures=failures)
        execution.start(input, **started)
        return execution

    return start
