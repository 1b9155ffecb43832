#!/usr/bin/env python3
"""Do every chore of this repository, one command each; needs Python 3.11 or newer and nothing else.

    python3 chores.py demo            serve the todo service and call it with the typed client
    python3 chores.py test            run the whole test suite
    python3 chores.py check           lint, formatting, mypy --strict and pyright strict

Each chore first makes a virtual environment (`.venv`) and installs what it needs there; the next run finds it
ready. `python3 chores.py --help` lists all of them. One file, though long: it must run before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
REPLAYING = ("engine", "runtime", "contract", "testing")
"""The rooms in which histories replay."""
PLANTED = ("testing/simulation/test_planted_bugs.py", "testing/simulation/test_aws.py")
"""What shows that the simulator finds what is wrong, and simulates functions: the same on any Python, and slow."""
ONCE = ("typing", "aws", "hosts/aws", "deploy", "messaging", "publishing/test_elsewhere.py", *PLANTED)
"""What is run on one Python: checkers read the code as Python 3.11, and what is deployed is for 3.11."""
SPREAD = ("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
"""Files begin in the order of tests/conftest.py: xdist's own begins those of few tests last, and they take longest."""
OTHER_PYTHONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "3.12": ("replay", ("replay",)),
    "3.13": ("dev", ("test", *SPREAD, *(f"--ignore=tests/{room}" for room in ONCE))),
}
"""Which extra and which chore is for each: all on the newest; on those between, what replays."""
CHECKED = ("service_kit", "client_kit", "plugins", "stubs", "benchmarks", "tests", "chores.py")
LOCK = "constraints.txt"
ENOUGH = {
    "server": ("server", "replay", "dev", "dev,bench"),
    "replay": ("replay", "dev", "dev,bench"),
    "dev": ("dev", "dev,bench"),
    "dev,bench": ("dev,bench",),
}
"""Extras that a chore asks for, and what an environment may have installed for it."""
COVERED = {
    "service_kit/engine": ("tests/engine",),
    "service_kit/runtime": ("tests/runtime", "tests/stores", "tests/testing"),
}
"""What has to be covered, and by which tests."""
COVERED_LEAST = "97"
MUTATION_TOOL = "cosmic-ray>=8.7,<9"
"""It brings thirty packages that nothing else here needs, so it has an environment of its own."""


class ChoreError(Exception):
    """Stop with a message that says what went wrong and what to do next."""

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__(f"{problem}\n    {cure}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chore that the command line names; return the exit status."""
    if sys.version_info < OLDEST:
        print(
            f"chores.py: Python 3.11 or newer is needed, and this is {sys.version.split()[0]};",
            file=sys.stderr,
        )
        print("    install a newer one and run it by its name: python3.12 chores.py ...", file=sys.stderr)
        return 2
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.chore != "test":
        _parser().error(f"unknown arguments for '{options.chore}': {' '.join(rest)}")
    options.rest = rest
    try:
        CHORES[options.chore](options)
    except ChoreError as error:
        print(f"\nchores.py {options.chore}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def demo(options: argparse.Namespace) -> None:
    """Serve the todo service on loopback and call it over HTTP with the typed client."""
    python = _environment(options, "server")
    _run("the demo", python, "plugins/todo/demo.py", cure="read the traceback above")


def test(options: argparse.Namespace) -> None:
    """Run the whole test suite; arguments go on to pytest: `test tests/http -k cors`."""
    python = _environment(options, "dev")
    # A selection is small, or for a debugger: only the whole suite is spread over the processors.
    spread = () if options.rest else SPREAD
    long = ("--long",) if options.long else ()
    cure = "run one test alone with `chores.py test <file>::<test>`"
    _run("the test suite", python, "-m", "pytest", *spread, *long, *options.rest, cure=cure)


def replay(options: argparse.Namespace) -> None:
    """Run the rooms in which histories replay: they need little, so that any Python soon shows that it can."""
    python = _environment(options, "replay")
    rooms = [*(f"tests/{room}" for room in REPLAYING), *(f"--ignore=tests/{file}" for file in PLANTED)]
    cure = "run one test alone with `chores.py test <file>::<test>`"
    _run("the rooms in which histories replay", python, "-m", "pytest", *SPREAD, *rooms, cure=cure)


def check(options: argparse.Namespace) -> None:
    """Lint, check the formatting, and run mypy --strict and pyright strict."""
    python = _environment(options, "dev,bench")
    _run("ruff check", python, "-m", "ruff", "check", ".", cure="run `chores.py fix`, then mend what is left")
    _run("ruff format", python, "-m", "ruff", "format", "--check", ".", cure="run `chores.py fix`")
    places = [place for place in CHECKED if (ROOT / place).exists()]
    mypy, pyright = ("-m", "mypy", *places), ("-m", "pyright", "--pythonpath", python)
    cure = "mend the types; an ignore needs a code and a reason"
    # Each keeps one processor busy, and speaks once, at its end.
    _together(
        partial(_run, "mypy --strict", python, *mypy, cure=cure),
        partial(_run, "pyright strict", python, *pyright, cure="mend the types"),
    )


def coverage(options: argparse.Namespace) -> None:
    """Measure which statements and branches of engine and runtime their own tests reach: 97 in 100 at least."""
    python = _environment(options, "dev")
    with tempfile.TemporaryDirectory() as folder:
        for room, tests in COVERED.items():
            data = f"--data-file={Path(folder, room.replace('/', '.'))}"
            measured = ("-m", "coverage", "run", "--branch", f"--source={room}", data, "-m", "pytest", *tests)
            _run(f"the tests of {room}", python, *measured, cure="mend the tests first")
            shown = ("--skip-covered", "-m", f"--fail-under={COVERED_LEAST}")
            report = ("-m", "coverage", "report", *shown, data)
            cure = "test what the lines above promise to users, or delete what nobody can reach"
            _run(f"the coverage of {room}", python, *report, cure=cure)


def mutate(options: argparse.Namespace) -> None:
    """Change the engine in one place at a time; count the changes that its tests notice. An hour for the sample."""
    python = _environment(options, "dev")
    folder = options.venv.resolve().with_name(f"{options.venv.name}-mutation")
    tool = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not tool.exists():
        _create(folder, options.python)
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", MUTATION_TOOL)
    _run("installing Cosmic Ray", str(tool), *pip, cure="is the package index reachable? run it again")
    chosen = ("--python", python, "--sample", str(options.sample))
    cure = "a survivor above is a change that nobody would notice: test it, or delete the code"
    _run("mutation testing", str(tool), "-m", "tests.engine.mutation", *chosen, cure=cure)


def fix(options: argparse.Namespace) -> None:
    """Format the code and mend what ruff can mend."""
    python = _environment(options, "dev")
    _run("ruff check --fix", python, "-m", "ruff", "check", "--fix", ".", cure="mend what is left by hand")
    _run("ruff format", python, "-m", "ruff", "format", ".", cure="mend the syntax error")


def typing(options: argparse.Namespace) -> None:
    """Compare five type checkers with tests/typing, line by line, and verify that the public API is fully typed."""
    python = _environment(options, "dev")
    cure = "compare the lines above with the case files"
    _run("five type checkers", python, "-m", "pytest", "tests/typing", cure=cure)


def bench(options: argparse.Namespace) -> None:
    """Measure us and our peers side by side; `--smoke` only shows that the programs run."""
    python = _environment(options, "dev,bench")
    smoke = ("--smoke",) if options.smoke else ()
    cure = "read what the failed benchmark printed above"
    _run("the benchmarks", python, "-m", "benchmarks", *smoke, cure=cure)


def docs(options: argparse.Namespace) -> None:
    """Execute the Python of README.md and docs/ as it stands."""
    python = _environment(options, "dev")
    cure = "mend the page, or the code it shows"
    _run("the documentation", python, "-m", "pytest", "tests/test_docs.py", cure=cure)


def lock(options: argparse.Namespace) -> None:
    """Write constraints.txt anew: the newest versions that the development environment resolves to."""
    with tempfile.TemporaryDirectory() as folder:
        options.venv, options.newest = Path(folder), True
        python = _environment(options, "dev,bench")
        frozen = subprocess.run(
            [python, "-m", "pip", "freeze", "--exclude-editable"], capture_output=True, text=True, check=True
        ).stdout
    (ROOT / LOCK).write_text(f"# Written by `chores.py lock`; what the repository is tested with.\n{frozen}")


def ci(options: argparse.Namespace) -> None:
    """Do what CI does, quickest first: demo, checks, the suite on each Python, benchmarks' smoke run."""
    with tempfile.TemporaryDirectory(prefix="service-kit-ci-") as folder:
        with _timed("README's first command, with the base and server extras alone"):
            _again(options, Path(folder, "demo"), "demo")
        others: dict[str, argparse.Namespace] = {}
        for version in OTHER_PYTHONS:
            if interpreter := _find_python(version):
                own = {"venv": Path(folder, version), "python": interpreter}
                others[version] = argparse.Namespace(**{**vars(options), **own})
        with _timed("an environment for each Python"):
            # pip computes for a minute, on one processor.
            _together(
                partial(_environment, options, "dev,bench"),
                *(partial(_environment, other, OTHER_PYTHONS[v][0]) for v, other in others.items()),
            )
        with _timed("lint and types"):
            check(options)
        _stage("README's second command: the whole suite", options, "test")
        # The benchmarks compute on one processor, and on a smoke run nobody looks at the time.
        stages = [partial(_stage, "benchmarks, smoke run", options, "bench", "--smoke")]
        for version, (_, chore) in OTHER_PYTHONS.items():
            if other := others.get(version):
                stages.append(partial(_stage, f"`chores.py {chore[0]}` on Python {version}", other, *chore))
            else:
                _say(f"==> Python {version}: not run, no such interpreter was found")
        _together(*stages)


CHORES: dict[str, Callable[[argparse.Namespace], None]] = {
    "demo": demo,
    "test": test,
    "replay": replay,
    "check": check,
    "coverage": coverage,
    "mutate": mutate,
    "fix": fix,
    "typing": typing,
    "bench": bench,
    "docs": docs,
    "lock": lock,
    "ci": ci,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chores.py",
        allow_abbrev=False,
        description="Every chore of this repository. Start with `demo`; before you send a change, `check` and `test`.",
        epilog="`chores.py test --long` adds the long profile; `chores.py test tests/http -k cors` selects tests.",
    )
    parser.add_argument(
        "--venv", type=Path, default=ROOT / ".venv", metavar="DIR", help="environment (.venv)"
    )
    parser.add_argument(
        "--python", default=sys.executable, metavar="EXE", help="interpreter for a new environment"
    )
    parser.add_argument(
        "--newest", action="store_true", help=f"install the newest releases, not those of {LOCK}"
    )
    chores = parser.add_subparsers(dest="chore", metavar="CHORE", required=True)
    for name, chore in CHORES.items():
        sub = chores.add_parser(name, allow_abbrev=False, help=chore.__doc__, description=chore.__doc__)
        if name == "test":
            sub.add_argument("--long", action="store_true", help="more generated cases, and the slow tests")
        if name == "mutate":
            sub.add_argument(
                "--sample", type=int, default=300, help="how many changes, at random; 0: all, in hours"
            )
        if name == "bench":
            sub.add_argument("--smoke", action="store_true", help="a few calls of each, to see that it runs")
    return parser


def _environment(options: argparse.Namespace, extra: str) -> str:
    """Return the interpreter of the virtual environment, with the extra installed; make what is missing."""
    folder: Path = options.venv.resolve()
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _create(folder, options.python)
    stamps = [folder / f".service-kit-{installed}" for installed in ENOUGH[extra]]
    wanted = _fingerprint(options.newest)
    if not any(stamp.exists() and stamp.read_text() == wanted for stamp in stamps):
        _install(str(python), extra, newest=options.newest)
        stamps[0].write_text(wanted)
    return str(python)


def _create(folder: Path, python: str) -> None:
    _say(f"==> making a virtual environment in {folder}")
    try:
        made = subprocess.run(
            [python, "-m", "venv", str(folder)], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise ChoreError(
            f"{python} does not start: {error}", "name an interpreter: --python python3.12"
        ) from error
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise ChoreError(
            f"{python} cannot make a virtual environment:\n{made.stdout}{made.stderr}",
            "install its venv module (Debian: apt-get install python3-venv), or name another --python",
        )


def _fingerprint(newest: bool) -> str:
    """Return what the installation depends on; a change of it means: install again."""
    lock = ROOT / LOCK
    parts = [
        str(ROOT),
        str(newest),
        (ROOT / "pyproject.toml").read_text(),
        lock.read_text() if lock.exists() else "",
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _install(python: str, extra: str, *, newest: bool) -> None:
    _say(f"==> installing service-kit[{extra}]; the first time takes a minute or two")
    started = time.monotonic()
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--editable", f".[{extra}]"]
    if (ROOT / LOCK).exists() and not newest:
        command += ["--constraint", LOCK]
    with _begun(command) as process:
        assert process.stdout is not None
        said = list(process.stdout if _is_beside() else _progress(process.stdout))
    if process.returncode:
        raise ChoreError(
            f"pip could not install service-kit[{extra}] for {python}:\n{''.join(said[-20:])}",
            "is the package index reachable? mend that, and run the same command again",
        )
    _say(f"    service-kit[{extra}] is installed, in {time.monotonic() - started:.0f} s")


def _progress(lines: Iterable[str]) -> Iterator[str]:
    """Pass pip's lines on, and show that something happens: the package at hand, or a dot for ten of them."""
    count = 0
    for line in lines:
        yield line
        if line.startswith("Collecting"):
            count += 1
            if sys.stdout.isatty():
                print(f"\r\033[K    {count} {line.split()[1]}", end="", flush=True)
            elif count % 10 == 0:
                print(".", end="", flush=True)
    print("\r\033[K" if sys.stdout.isatty() else "", end="\n" if count >= 10 else "", flush=True)


def _together(*work: Callable[[], object]) -> None:
    """Do all of it, on as many threads as there are processors; raise what failed first in this order."""
    threads = ThreadPoolExecutor(os.cpu_count())
    begun = list[Future[object]]()
    try:
        begun.extend(threads.submit(one) for one in work)
        wait(begun)
    except BaseException:
        # After Ctrl+C what has not begun does not begin any more.
        threads.shutdown(wait=False, cancel_futures=True)
        _interrupt(begun)
        raise
    threads.shutdown()
    for one in begun:
        one.result()


def _interrupt(begun: Iterable[Future[object]]) -> None:
    """Tell what runs side by side of Ctrl+C, and of the next one, until all of it has ended."""
    # What a script runs in its background ignores Ctrl+C, and so does all that it begins.
    deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    told = set[subprocess.Popen[str]]()
    while not all(one.done() for one in begun):
        try:
            for process in _BESIDE - told:
                told.add(process)
                if os.name == "nt":
                    process.terminate()
                else:
                    os.killpg(process.pid, signal.SIGTERM if deaf else signal.SIGINT)
            time.sleep(0.1)
        except ProcessLookupError:
            pass  # it has just ended
        except KeyboardInterrupt:
            told.clear()


_BESIDE = set[subprocess.Popen[str]]()
"""The commands that run beside others."""


def _is_beside() -> bool:
    """Tell whether this runs beside something else: in a thread of `_together`."""
    return threading.current_thread() is not threading.main_thread()


@contextmanager
def _begun(command: Sequence[str]) -> Generator[subprocess.Popen[str]]:
    """Begin a command whose output is read here, and wait for its end.

    Beside others it has a process group of its own, for all that it begins: `_interrupt` alone tells them of Ctrl+C,
    whether the terminal or somebody else has told us.
    """
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0 if _is_beside() else None,
    )
    if _is_beside():
        _BESIDE.add(process)
    try:
        with process:
            yield process
    finally:
        _BESIDE.discard(process)


def _call(who: str, *command: str) -> int:
    """Run a command, and return its exit status. Beside others, each line of its output says whose it is."""
    if not _is_beside():
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    with _begun(command) as process:
        for line in process.stdout or ():
            _say(f"{who} | {line.rstrip()}")
    return process.returncode


def _say(text: str) -> None:
    """Print a line, in one piece: `print` lets another thread's come between a line and its end."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _run(what: str, *command: str, cure: str) -> None:
    _say(f"==> {what}")
    status = _call(what, *command)
    if status:
        raise ChoreError(f"{what} failed (exit status {status})", cure)


def _again(options: argparse.Namespace, venv: Path, *chore: str) -> None:
    """Run a chore as its own command, as a person would."""
    newest = ("--newest",) if options.newest else ()
    where = ("--venv", str(venv), "--python", options.python)
    command = (sys.executable, __file__, *where, *newest, *chore)
    if _call(f"{venv.name} {chore[0]}", *command):
        raise ChoreError(f"`chores.py {' '.join(chore)}` failed in {venv}", "its own message is above")


def _stage(title: str, options: argparse.Namespace, *chore: str) -> None:
    with _timed(title):
        _again(options, options.venv, *chore)


def _find_python(version: str) -> str | None:
    """Return an interpreter of this version that starts, from PATH or pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    candidates = [str(p / "bin/python") for p in sorted(pyenv.glob(f"{version}.*"), reverse=True)]
    for candidate in [f"python{version}", *candidates]:
        found = shutil.which(candidate)
        # A pyenv shim exists for versions that are not switched on, and then fails: ask it.
        probe = (
            [found, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"]
            if found
            else None
        )
        if (
            probe
            and subprocess.run(probe, capture_output=True, text=True, check=False).stdout.strip() == version
        ):
            return found
    return None


@contextmanager
def _timed(stage: str) -> Generator[None]:
    _say(f"\n===== {stage}")
    started = time.monotonic()
    yield
    _say(f"===== {stage}: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    # As Ctrl+C, of which what runs side by side is told.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
