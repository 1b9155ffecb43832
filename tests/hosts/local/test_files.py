"""Where a service's SQLite file is, and what is told of one that cannot be used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from service_kit import Event, Service
from service_kit.hosts.local.files import FileUnavailable, check_file, default_file
from service_kit.hosts.local.host import LocalHost
from service_kit.hosts.local.service import create_local_service


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_default_file_is_kept_from_version_control(tmp_path: Path) -> None:
    assert default_file("orders") == tmp_path / ".service-kit" / "orders.db"
    ignore = tmp_path / ".service-kit" / ".gitignore"
    assert ignore.read_text().splitlines()[-1] == "*"
    ignore.write_text("mine")
    default_file("todos")
    assert ignore.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / ".service-kit").write_text("a file")
    with pytest.raises(FileUnavailable, match=r"the folder .*\.service-kit cannot be made"):
        default_file("orders")


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_database_in_memory_is_refused_with_what_there_is_for_tests(path: str) -> None:
    with pytest.raises(FileUnavailable, match=r"is no file.*TestEnvironment\(Service\)"):
        LocalHost(Service, path)


def test_a_database_in_memory_cannot_be_served_either() -> None:
    with pytest.raises(FileUnavailable, match="':memory:' is no file"):
        check_file(Path(":memory:"))


def test_a_file_of_a_newer_version_is_refused_with_the_cure(tmp_path: Path) -> None:
    file = tmp_path / "orders.db"
    check_file(file)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 1000")
    connection.close()
    with pytest.raises(FileUnavailable) as refused:
        check_file(file)
    assert refused.value.problem == f"{file} cannot be used"
    assert "upgrade service-kit" in refused.value.cure


def test_a_service_of_nothing_durable_has_a_file_only_if_it_was_asked_for(tmp_path: Path) -> None:
    class Plain(Service):
        pass

    assert create_local_service(Plain).file is None
    assert create_local_service(Plain, Path("asked.db")).file == tmp_path / "asked.db"


def test_a_service_that_publishes_events_has_a_file(tmp_path: Path) -> None:
    class Shipped(Event):
        order: str

    class Depot(Service):
        pass

    assert create_local_service(Depot).file == tmp_path / ".service-kit" / "depot.db"
    assert Shipped.event_name == "Shipped"
