"""The determinism guard: an audit hook that refuses sockets, files, processes, threads and sleep inside a turn.

It is a net for mistakes, not a wall: what raises no audit event passes (`os.stat`, `os.environ.get`, a lock).

An audit hook is for the whole process and for ever, so the first instance installs it. Outside of turns it only
asks whether this thread's running loop is a workflow's; what an audited event costs more, 0.1 to 0.3 us, CPython
takes for any hook.

Clocks and random numbers raise no audit events: those are found statically. What older Pythons do not audit yet
is wrapped, so that they do; so is the future of a thread pool, which none audits: to give work to a thread that is
there already starts none.
"""

from __future__ import annotations

import functools
import sys
from asyncio.events import _get_running_loop
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from .forbidden import ClosedLoop, refusal

__all__ = ["install_guard"]

REFUSED = {
    "open": "files (open)",
    "os.listdir": "the file system (os.listdir)",
    "os.scandir": "the file system (os.scandir)",
    "os.chdir": "the file system (os.chdir)",
    "os.chmod": "the file system (os.chmod)",
    "os.chown": "the file system (os.chown)",
    "os.link": "the file system (os.link)",
    "os.mkdir": "the file system (os.mkdir)",
    "os.remove": "the file system (os.remove)",
    "os.rename": "the file system (os.rename)",
    "os.rmdir": "the file system (os.rmdir)",
    "os.symlink": "the file system (os.symlink)",
    "os.truncate": "the file system (os.truncate)",
    "os.utime": "the file system (os.utime)",
    "os.putenv": "the environment (os.environ, os.putenv)",
    "os.unsetenv": "the environment (os.environ, os.unsetenv)",
    "builtins.input": "the console (input)",
    "sqlite3.connect": "databases (sqlite3.connect)",
    "os.kill": "other processes (os.kill)",
    "os.killpg": "other processes (os.killpg)",
    "os.exec": "subprocesses (os.exec)",
    "os.fork": "subprocesses (os.fork)",
    "os.forkpty": "subprocesses (os.forkpty)",
    "os.posix_spawn": "subprocesses (os.posix_spawn)",
    "os.spawn": "subprocesses (os.spawn)",
    "os.system": "subprocesses (os.system)",
    "pty.spawn": "subprocesses (pty.spawn)",
    "subprocess.Popen": "subprocesses (subprocess)",
    "socket.__new__": "the network (socket)",
    "socket.bind": "the network (socket.bind)",
    "socket.connect": "the network (socket.connect)",
    "socket.getaddrinfo": "the network (socket.getaddrinfo)",
    "socket.gethostbyaddr": "the network (socket.gethostbyaddr)",
    "socket.gethostbyname": "the network (socket.gethostbyname)",
    "socket.gethostname": "the network (socket.gethostname)",
    "socket.getnameinfo": "the network (socket.getnameinfo)",
    "socket.sendmsg": "the network (socket.sendmsg)",
    "socket.sendto": "the network (socket.sendto)",
    "_thread.start_new_thread": "threads",
    "_thread.start_joinable_thread": "threads",
    "concurrent.futures.Future": "threads or executors (submit, wrap_future, run_coroutine_threadsafe)",
    "time.sleep": "time.sleep, which stops every execution of this thread (asyncio.sleep waits durably)",
}

NEVER = (sys.maxsize,)
AUDITED_SINCE = (
    ((3, 13), "time", "sleep", "time.sleep"),
    ((3, 12), "_thread", "start_new_thread", "_thread.start_new_thread"),
    ((3, 12), "threading", "_start_new_thread", "_thread.start_new_thread"),
    (NEVER, "concurrent.futures._base", "Future.__init__", "concurrent.futures.Future"),
    (NEVER, "concurrent.futures._base", "Future.add_done_callback", "concurrent.futures.Future"),
)
"""The first Python that audits it, where it is, and its event."""

TOLERATED = frozenset(
    {
        "_frozen_importlib",
        "_frozen_importlib_external",
        "bdb",
        "dateutil",
        "encodings",
        "importlib",
        "inspect",
        "linecache",
        "logging",
        "pdb",
        "pytz",
        "traceback",
        "warnings",
        "weakref",
        "zipimport",
        "zoneinfo",
    }
)
"""Who may do it on the workflow's behalf: imports, log handlers, messages, debuggers, finalizers, time zones.
They are for code, source lines and data of packages, which do not change while a process runs; who has them read
another file (`linecache`, `importlib.resources`) is not found out."""

_installed = False


def install_guard(turn: CodeType) -> None:
    """Install the hook, once per process; `turn` is the code that all workflow code runs beneath."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_hook(turn))
        for since, module, name, event in AUDITED_SINCE:
            # Looked up, not imported: the engine itself uses neither clocks nor threads.
            if sys.version_info < since and module in sys.modules:
                _audit(sys.modules[module], name, event)


def _hook(turn: CodeType) -> Callable[[str, tuple[Any, ...]], None]:
    def hook(event: str, args: tuple[Any, ...]) -> None:
        loop = _get_running_loop()
        if not isinstance(loop, ClosedLoop):
            return
        what = REFUSED.get(event)
        if what is not None and not _tolerated(sys._getframe(1), turn, loop.told_at):
            raise refusal(loop.ledger, what)
        if event == "sys.unraisablehook":
            loop.told_at = _place(sys._getframe(1))

    return hook


def _audit(module: Any, name: str, event: str) -> None:
    """Let a function, or a method, raise an audit event that this Python does not raise."""
    *owners, name = name.split(".")
    owner = functools.reduce(getattr, owners, module)
    function = getattr(owner, name)

    @functools.wraps(function)
    def audited(*args: Any, **options: Any) -> Any:
        sys.audit(event, *args)
        return function(*args, **options)

    setattr(owner, name, audited)


def _tolerated(frame: FrameType | None, turn: CodeType, told_at: tuple[CodeType, int] | None) -> bool:
    """Return whether a tolerated module stands between what happened and the turn, or the interpreter itself.

    That reads source lines when it tells of an error that it cannot raise; the code has not moved on meanwhile.
    """
    while frame is not None and frame.f_code is not turn:
        if _place(frame) == told_at:
            return True
        name: str = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] in TOLERATED or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


def _place(frame: FrameType) -> tuple[CodeType, int]:
    return frame.f_code, frame.f_lasti
