"""A process that is killed at a failpoint is recovered by the next one on the same file."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service_kit.testing.simulation.failpoints import CrashAt, failpoints

PROGRAM = """
import asyncio, sys
from service_kit import LocalHost, LocalOptions, Service, task, workflow
from service_kit.hosts.local import host
from service_kit.testing.simulation.failpoints import CrashAt, with_failpoints

@task
async def double(number: int) -> int:
    return 2 * number

@workflow
async def sums(count: int) -> int:
    return sum([await double(number) for number in range(count)])

class Sums(Service):
    sums = sums

async def main(path: str, point: str, passage: int) -> None:
    if point:
        stores = host.sqlite_stores
        host.sqlite_stores = lambda database: with_failpoints(stores(database), CrashAt(point, passage))
    async with LocalHost(Sums, path, LocalOptions(lease_s=1.0)):
        run = await sums.options(id="one").start(4)
        print(await run.result())

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.mark.parametrize(
    ("point", "passage"),
    [
        ("executions.create:before", 1),
        ("executions.create:after", 1),
        ("executions.commit:before", 2),
        ("executions.commit:after", 2),
    ],
)
def test_a_process_killed_around_a_commit_is_recovered(tmp_path: Path, point: str, passage: int) -> None:
    killed = _run(tmp_path, point, passage)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "")
    recovered = _run(tmp_path, "", 0)
    assert (recovered.stdout, recovered.returncode) == ("12\n", 0)


def test_there_is_a_failpoint_before_and_after_every_method_of_every_port() -> None:
    assert {"executions.commit:before", "tasks.settle:after", "deliveries.done:before"} <= set(failpoints())


def test_a_misspelt_failpoint_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"there is no failpoint 'executions\.comit:after'; the failpoints are"
    ):
        CrashAt("executions.comit:after")


def _run(folder: Path, point: str, passage: int) -> subprocess.CompletedProcess[str]:
    program = folder / "sums_service.py"
    program.write_text(PROGRAM)
    return subprocess.run(
        [sys.executable, str(program), str(folder / "sums.db"), point, str(passage)],
        cwd=Path(__file__).resolve().parents[3],
        env={"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
