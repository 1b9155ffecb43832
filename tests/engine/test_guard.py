"""Inside a turn, what a replay could not repeat fails at once; outside, and for imports and logs, nothing changes."""

from __future__ import annotations

import _thread
import asyncio
import importlib
import logging
import os
import pkgutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import tokenize
import warnings
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service_kit.engine import guard
from service_kit.engine.guard import install_guard
from service_kit.engine.loop import WorkflowLoop
from service_kit.errors import NonDeterminismError
from tests.engine.driving import Execution, task


def use(action: Callable[[], object]) -> Execution:
    """Run `action` in a workflow that would swallow any error of it."""

    swallowed: list[Exception] = []

    async def uses() -> str:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - even so the turn must fail
            swallowed.append(error)
        await task("after")
        return "done"

    run = Execution(uses, cold=False)
    run.start()
    return run


@pytest.mark.parametrize(
    ("what", "action"),
    [
        ("files", lambda: open(__file__)),  # noqa: PTH123, SIM115 - it is what users write
        ("files", lambda: Path(__file__).read_text()),
        ("the file system", lambda: list(Path().iterdir())),
        ("the file system", lambda: Path("no-such-file").unlink()),
        ("subprocesses", lambda: subprocess.run(["true"])),
        ("subprocesses", lambda: os.system("true")),
        ("threads", lambda: threading.Thread(target=print).start()),
        ("threads", lambda: _thread.start_new_thread(print, ())),
        ("the network", lambda: socket.create_connection(("127.0.0.1", 1))),
        ("the network", lambda: socket.getaddrinfo("localhost", 1)),
        ("databases", lambda: sqlite3.connect(":memory:")),
        (r"time\.sleep", lambda: time.sleep(0)),
        ("the file system", lambda: os.symlink("a", "no-such-folder/b")),  # noqa: PTH211 - it is what users write
        ("the file system", lambda: os.link("no-such-file", "b")),
        ("the file system", lambda: os.chmod("no-such-file", 0o600)),  # noqa: PTH101 - it is what users write
        ("the file system", lambda: os.chown("no-such-file", -1, -1)),
        ("the file system", lambda: os.utime("no-such-file")),
        ("the file system", lambda: os.chdir("no-such-folder")),
        ("the file system", tempfile.mkdtemp),
        ("files", tempfile.mkstemp),
        ("files", tempfile.NamedTemporaryFile),
        ("files", lambda: tokenize.open(__file__)),  # noqa: SIM115 - it is refused
        ("the file system", lambda: list(pkgutil.iter_modules([str(Path(__file__).parent)]))),
        ("the environment", lambda: os.environ.update(NO_SUCH_VARIABLE="1")),
        ("the environment", lambda: os.unsetenv("NO_SUCH_VARIABLE")),
        ("other processes", lambda: os.kill(os.getpid(), 0)),
        ("other processes", lambda: os.killpg(os.getpgrp(), 0)),
        ("the console", input),
    ],
)
def test_what_a_replay_could_not_repeat_fails_the_turn(what: str, action: Callable[[], object]) -> None:
    with pytest.raises(NonDeterminismError, match=f"a workflow cannot use {what}") as caught:
        use(action)
    assert "test_guard.py" in caught.value.where
    assert "do it in a task" in str(caught.value)


def test_threads_that_are_there_already_are_given_nothing_to_do() -> None:
    async def elsewhere() -> None:
        return None

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: None).result()
        with pytest.raises(NonDeterminismError, match="a workflow cannot use threads") as caught:
            use(lambda: pool.submit(lambda: None).result())
        assert "test_guard.py" in caught.value.where
        given = pool.submit(lambda: 1)
        with pytest.raises(NonDeterminismError, match="wrap_future"):
            use(lambda: asyncio.wrap_future(given))
        assert given.result() == 1
    loop = asyncio.new_event_loop()
    coro = elsewhere()
    with pytest.raises(NonDeterminismError, match="a workflow cannot use threads"):
        use(lambda: asyncio.run_coroutine_threadsafe(coro, loop))
    coro.close()
    loop.close()


def test_outside_of_turns_nothing_is_refused(tmp_path: Path) -> None:
    run = use(lambda: None)
    (tmp_path / "file").write_text("fine")
    time.sleep(0)
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    run.succeed("after")
    assert run.result == "done"


def test_other_loops_on_the_same_thread_are_free_between_turns(tmp_path: Path) -> None:
    async def writes() -> str:
        use(lambda: None)
        (tmp_path / "file").write_text("fine")
        return (tmp_path / "file").read_text()

    assert asyncio.run(writes()) == "fine"


def test_functions_that_the_guard_wraps_keep_their_names() -> None:
    use(lambda: None)
    assert (time.sleep.__name__, time.sleep.__module__) == ("sleep", "time")


def test_other_threads_are_free_while_one_takes_a_turn(tmp_path: Path) -> None:
    inside, written = threading.Event(), threading.Event()

    def write() -> None:
        inside.wait(10)
        (tmp_path / "file").write_text("fine")
        written.set()

    thread = threading.Thread(target=write)
    thread.start()

    def wait_for_the_other() -> None:
        inside.set()
        assert written.wait(10)

    use(wait_for_the_other)
    thread.join()
    assert (tmp_path / "file").read_text() == "fine"


def test_modules_may_be_imported_inside_a_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.txt").write_text("42")
    (tmp_path / "lazily_loaded.py").write_text(
        "import pathlib, threading\n"
        "VALUE = int((pathlib.Path(__file__).parent / 'data.txt').read_text())\n"
        "threading.Thread(target=lambda: None).start()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[int] = []

    def load() -> None:
        seen.append(importlib.import_module("lazily_loaded").VALUE)

    use(load)
    assert seen == [42]
    sys.modules.pop("lazily_loaded")


def test_logs_warnings_and_time_zones_work_inside_a_turn(tmp_path: Path) -> None:
    logger = logging.getLogger("guarded")
    handler = logging.FileHandler(tmp_path / "log", delay=True)
    logger.addHandler(handler)

    def writes() -> None:
        try:
            raise ValueError("with a traceback")
        except ValueError:
            logger.exception("kept")
        with warnings.catch_warnings(record=True):
            warnings.warn("seen", stacklevel=1)
        ZoneInfo.no_cache("Europe/Berlin")

    try:
        use(writes)
    finally:
        logger.removeHandler(handler)
        handler.close()
    assert "kept" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("library", ["dateutil.tz.tz", "pytz", "zoneinfo._common"])
def test_libraries_of_time_zones_may_read_them_inside_a_turn(library: str) -> None:
    namespace: dict[str, Any] = {"__name__": library}
    exec("def read_zone(path):\n    with open(path) as file: return file.read()", namespace)
    use(lambda: namespace["read_zone"](__file__))


def test_finalizers_that_happen_to_run_inside_a_turn_are_free(tmp_path: Path) -> None:
    class Owner:
        def __init__(self, path: Path) -> None:
            self.path = path

        def __del__(self) -> None:
            self.path.unlink()

    class Plain:
        pass

    for name in ("a", "b"):
        (tmp_path / name).write_text("")
    owners: list[object] = [Owner(tmp_path / "a"), plain := Plain()]
    weakref.finalize(plain, (tmp_path / "b").unlink)
    del plain
    use(owners.clear)
    assert list(tmp_path.iterdir()) == []


def test_hook_knows_what_to_refuse_and_what_to_let_pass() -> None:
    # Called as a function, because tracers and debuggers do not see into audit hooks.
    hook = guard._hook(WorkflowLoop.run.__code__)
    hook("open", ())
    seen: list[str] = []

    def asks() -> None:
        hook("compile", ())
        for event in ("open", "socket.connect"):
            try:
                hook(event, ())
            except NonDeterminismError as error:
                seen.append(error.problem.partition(":")[0])
        eval("hook('open', ())", {"hook": hook, "__name__": "importlib.machinery"})

    with pytest.raises(NonDeterminismError):
        use(asks)
    assert seen == [
        "a workflow cannot use files (open)",
        "a workflow cannot use the network (socket.connect)",
    ]
    seen.clear()
    use(lambda: eval("hook('open', ())", {"hook": hook, "__name__": "zoneinfo._common"}))


def test_the_hook_is_installed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    use(lambda: None)
    hooks: list[object] = []
    monkeypatch.setattr(sys, "addaudithook", hooks.append)
    install_guard(WorkflowLoop.run.__code__)
    assert hooks == []
    monkeypatch.setattr("service_kit.engine.guard._installed", False)
    monkeypatch.setattr("service_kit.engine.guard.AUDITED_SINCE", ())
    install_guard(WorkflowLoop.run.__code__)
    assert len(hooks) == 1
