"""The same test does the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.tidy.sources import ROOT

PROGRAM = """
from datetime import timedelta
from service_kit.testing import TestEnvironment
from tests.testing.orders import *

with TestEnvironment(Orders) as env:
    env.mock(process_payment).raises_once(ConnectionError)
    executions = [env.start(process_order, f"o-{n}") for n in range(3)]
    executions += [env.start(parent, "o-9"), env.start(take_stock, 2), env.start(label, "l-1")]
    env.emit(OrderPlaced(order_id="o-1", amount=1000), OrderShipped(order_id="o-2"))
    env.advance(timedelta(hours=1))
    print([execution.recording() for execution in executions])
    print([(call.name, call.execution, call.attempt, call.at) for name in (process_payment, ship_order, count_stock)
           for call in env.calls_of(name)])
    print(env.events_of(OrderPlaced, OrderShipped), env.dead_letters())
"""


def told(seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("seed", ["1", "42", "4294967295"])
def test_all_of_it_is_equal_under_any_hash_seed(seed: str) -> None:
    assert told(seed) == told("0")
