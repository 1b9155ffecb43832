"""A service as data, read in a process of its own.

Two versions of one module cannot be imported into one process. So each is imported by a child, which writes down what
the comparison reads. The framework is today's on both sides: what is compared is what the user has written.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from service_kit.cli.failures import CliError, Unusable

if TYPE_CHECKING:
    from service_kit.cli.revisions import Checkout
    from service_kit.contract.service import Service

Snapshot: TypeAlias = "tuple[dict[str, Any], dict[str, Any], dict[str, tuple[str, str]] | None]"
"""The specification, what it has no words for, and the histories that do not replay."""

_PROGRAM = """
import json, sys
wish = json.loads(sys.argv[1])
sys.path[:0] = [wish["home"]]
import service_kit, client_kit
sys.path[:] = wish["path"]
from service_kit.cli.snapshot import main
main(wish)
"""
"""Our own packages first, lest a revision of a repository that holds them brings its own."""


def take(text: str, target: str, histories: Path | None, checkout: Checkout | None) -> Snapshot:
    """Return the snapshot of a module; raise Unusable with what the child says."""
    from service_kit.cli.replay import history_files

    folder = Path.cwd()
    files = [str(file) for file in history_files([histories])] if histories else None
    then = str if checkout is None else checkout.then
    wish = {
        "target": target,
        "histories": files,
        "folder": str(folder),
        "home": str(Path(__file__).parents[2]),
        "path": [then(str(Path(entry or folder).resolve())) for entry in sys.path],
        "tree": None if checkout is None else str(checkout.tree),
    }
    with tempfile.TemporaryDirectory(prefix="service-kit-") as place:
        answer = Path(place) / "snapshot.json"
        done = subprocess.run(  # noqa: S603 - the interpreter that runs this
            [sys.executable, "-c", _PROGRAM, json.dumps({**wish, "answer": str(answer)})],
            cwd=then(str(folder)),
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if not answer.exists():
            said = (done.stdout + done.stderr).decode(errors="replace")
            raise Unusable(f"'{text}' cannot be read: its process ended with {done.returncode}", details=said)
        found = json.loads(answer.read_bytes())
    if "problem" in found:
        raise Unusable(f"{text}: {found['problem']}", found["cure"], found["details"])
    unfit = found["unfit"]
    return (
        found["document"],
        found["durable"],
        None if unfit is None else {f: tuple(w) for f, w in unfit.items()},
    )


def main(wish: dict[str, Any]) -> None:
    """Write the snapshot that a wish asks for, or why there is none; the child's whole life."""
    try:
        found = _read(wish)
    except CliError as error:
        found = {"problem": error.problem, "cure": error.cure, "details": error.details}
    Path(wish["answer"]).write_text(json.dumps(found), "utf-8")


def _read(wish: dict[str, Any]) -> dict[str, Any]:
    from service_kit.cli.targets import create_application, explained, load_service
    from service_kit.diff import describe_durable
    from service_kit.openapi import build_specification

    service = load_service(wish["target"])
    _check_place(service, wish["tree"])
    with explained(service):
        application = create_application(wish["target"]).application
        raw = application.raw.specification() if application.raw else None
        document = build_specification(application.contract, url=None, raw=raw)
        durable = describe_durable(service)
    files = wish["histories"]
    unfit = None if files is None else _unfit(service, [Path(wish["folder"], file) for file in files], files)
    return {"document": document, "durable": durable, "unfit": unfit}


def _check_place(service: type[Service], tree: str | None) -> None:
    """Raise Unusable if another module than the revision's was found."""
    if tree is None:
        return
    file = Path(sys.modules[service.__module__].__file__ or "").resolve()
    if not file.is_relative_to(tree):
        raise Unusable(
            f"module '{service.__module__}' is not in that revision; found was {file}",
            "name the file: main~3:src/orders.py:Orders",
        )


def _unfit(service: type[Service], files: list[Path], names: list[str]) -> dict[str, tuple[str, str]]:
    from service_kit.cli.targets import explained
    from service_kit.errors import HistoryUnreadable, NonDeterminismError, TurnTooLong
    from service_kit.testing.histories import never_began, read_history, start_of
    from service_kit.testing.replayer import Replayer

    with explained(service):
        replayer = Replayer(service)
    found: dict[str, tuple[str, str]] = {}
    for file, name in zip(files, names, strict=True):
        try:
            text = file.read_text("utf-8")
            events = read_history(text)
            if never_began(events):
                continue
            workflow = start_of(events).workflow
        except (OSError, UnicodeDecodeError, HistoryUnreadable) as error:
            raise Unusable(f"cannot read {name}: {error}", "name a folder of recorded histories") from None
        try:
            replayer.replay(text)
        except (NonDeterminismError, HistoryUnreadable, TurnTooLong, LookupError) as error:
            found[name] = (workflow, "; ".join(" ".join(line.split()) for line in str(error).splitlines()))
    return found
