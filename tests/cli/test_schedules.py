"""`service-kit schedules`, against a running service."""

from __future__ import annotations

import json

import pytest

from service_kit.cli.targets import load_service
from service_kit.hosts.local.host import LocalHost
from tests.cli.conftest import Serve, Workshop
from tests.cli.running import eventually
from tests.cli.test_operators import Depot

SERVICE = '''
from datetime import datetime
from pathlib import Path
from service_kit import Service, workflow

@workflow(cron="0 9 * * *", timezone="Europe/Berlin")
async def report(at: datetime) -> str:
    return at.isoformat()

class Reports(Service):
    """Report."""
    report = report
'''


@pytest.fixture
def reports(workshop: Workshop, serve: Serve) -> Depot:
    workshop.write("reports.py", SERVICE)
    host = LocalHost(load_service("reports"), workshop.folder / "reports.db")
    return Depot(workshop, serve(host.asgi()))


def test_schedules_are_listed_paused_and_resumed(reports: Depot) -> None:
    listed = reports.does("schedules", "list")
    for cell in ("report", "0 9 * * *", "Europe/Berlin", "skip"):
        assert cell in listed
    reports.does("schedules", "pause", "report", "--reason", "holidays")
    eventually(lambda: reports.json("schedules", "list")[0]["paused"] == "holidays")
    assert "paused: holidays" in reports.does("schedules", "list")
    reports.does("schedules", "resume", "report")
    eventually(lambda: reports.json("schedules", "list")[0]["paused"] is None)


def test_a_schedule_is_run_now_and_for_days_of_the_past(reports: Depot) -> None:
    started = reports.does("schedules", "trigger", "report").strip()
    eventually(lambda: reports.run("executions", "show", started).exit_code == 0)
    assert json.loads(reports.does("executions", "result", started))
    told = reports.does(
        "schedules",
        "backfill",
        "report",
        "--from",
        "2025-03-29T00:00+00:00",
        "--to",
        "2025-03-31T00:00+00:00",
    )
    assert told.split() == ["report@2025-03-29T08:00:00Z", "report@2025-03-30T07:00:00Z"]
    eventually(lambda: reports.run("executions", "show", told.split()[1]).exit_code == 0)
    result = reports.does("executions", "result", told.split()[1])
    assert json.loads(result) == "2025-03-30T09:00:00+02:00"


def test_what_cannot_be_done_is_told(reports: Depot) -> None:
    assert "no workflow 'other' at" in reports.refuses("schedules", "trigger", "other")
    assert "service-kit schedules list" in reports.refuses("schedules", "pause", "other")
    assert "to end before now" in reports.refuses(
        "schedules", "backfill", "report", "--from", "2025-03-29", "--to", "9999-01-01"
    )
    result = reports.run("schedules", "backfill", "report", "--from", "soon")
    assert (result.exit_code, "'soon' is no moment" in result.stderr) == (2, True)
