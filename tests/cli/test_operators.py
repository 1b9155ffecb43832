"""Operators' commands, against a running service: executions, events, dead letters.

One running service serves all of these tests, so they stand together, though long.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import Result

from client_kit.executions import ExecutionStatus
from service_kit.cli.executions import Status
from service_kit.cli.targets import load_service
from service_kit.hosts.local.host import LocalHost
from tests.cli.conftest import Serve, Workshop
from tests.cli.durable import SERVICE
from tests.cli.running import eventually


class Depot:
    """The service of `durable.py`, running, and its operator."""

    def __init__(self, workshop: Workshop, url: str) -> None:
        self.folder: Path = workshop.folder
        self.url = url
        self._workshop = workshop

    def run(self, *words: str, stdin: str | None = None) -> Result:
        return self._workshop.run(*words, "--url", self.url, stdin=stdin)

    def does(self, *words: str, stdin: str | None = None) -> str:
        """Return what a command that must go well prints to stdout."""
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.does(*words, "--json"))

    def refuses(self, *words: str) -> str:
        """Return what a command that must fail prints to stderr."""
        result = self.run(*words)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        return result.stderr


@pytest.fixture
def depot(workshop: Workshop, serve: Serve) -> Depot:
    workshop.write("depot.py", SERVICE)
    return Depot(workshop, serve(LocalHost(load_service("depot"), workshop.folder / "depot.db").asgi()))


def test_an_execution_is_started_signalled_and_answered(depot: Depot) -> None:
    assert depot.does("executions", "start", "ship", '{"order": "o-1"}', "--id", "ship-1") == "ship-1\n"
    assert depot.json("executions", "show", "ship-1")["status"] == "running"
    doubted = depot.run("executions", "signal", "ship-1", "realeased", '"me"')
    assert (doubted.exit_code, doubted.stdout) == (0, "")
    assert doubted.stderr.splitlines() == [
        "warning: the service declares 'released' and no 'realeased'; if you meant that, send it",
        "sent 'realeased' to execution 'ship-1'",
    ]
    assert depot.does("executions", "signal", "ship-1", "released", '"me"') == ""
    assert json.loads(depot.does("executions", "result", "ship-1")) == "box of o-1, released by me"
    assert depot.json("executions", "show", "ship-1")["status"] == "succeeded"
    eventually(lambda: (depot.folder / "shipped").exists())


def test_arguments_may_be_pairs_or_come_from_stdin(depot: Depot) -> None:
    first = depot.does("executions", "start", "ship", "order=o-1", "boxes:=2").strip()
    second = depot.does("executions", "start", "ship", "-", stdin='{"order": "o-2", "boxes": 3}').strip()
    started = [depot.json("executions", "history", id)[1] for id in (first, second)]
    assert [json.loads(event["input"]) for event in started] == [
        {"order": "o-1", "boxes": 2},
        {"order": "o-2", "boxes": 3},
    ]


def test_the_same_id_and_input_find_what_runs_and_another_input_is_refused(depot: Depot) -> None:
    for _ in range(2):
        assert depot.does("executions", "start", "ship", "order=o-1", "--id", "ship-1") == "ship-1\n"
    said = depot.refuses("executions", "start", "ship", "order=o-2", "--id", "ship-1")
    assert "error: execution 'ship-1' exists already, with another workflow or input" in said
    assert "service-kit executions show ship-1" in said


def test_following_shows_what_happens_and_then_the_result(depot: Depot) -> None:
    (depot.folder / "release").touch()
    result = depot.run("executions", "start", "store", "order=o-1", "--id", "store-1", "--follow")
    assert (result.exit_code, json.loads(result.stdout)) == (0, "held o-1")
    kinds = [words[-1] for line in result.stderr.splitlines() if (words := line.split("  ")[:4])]
    assert result.stderr.startswith("execution store-1\n")
    for kind in ("ExecutionStarted", "TaskScheduled", "TaskSucceeded", "ExecutionSucceeded"):
        assert sum(kind in line for line in result.stderr.splitlines()) == 1, kinds


def test_executions_are_listed_newest_first_and_filtered(depot: Depot) -> None:
    for number in range(3):
        depot.does(
            "executions",
            "start",
            "ship",
            f"order=o-{number}",
            "--id",
            f"s-{number}",
            "--attribute",
            f"n={number}",
        )
    depot.does("executions", "start", "refuse", "why=closed", "--id", "r-1")
    depot.run("executions", "result", "r-1")

    def ids(*filters: str) -> list[str]:
        return [one["id"] for one in depot.json("executions", "list", *filters)]

    assert ids() == ["r-1", "s-2", "s-1", "s-0"]
    assert ids("--workflow", "ship") == ["s-2", "s-1", "s-0"]
    assert ids("--status", "failed") == ["r-1"]
    assert ids("--attribute", "n=1") == ["s-1"]
    assert ids("--limit", "2") == ["r-1", "s-2"]
    assert ids("--limit", "1", "--all") == ["r-1", "s-2", "s-1", "s-0"]
    assert ids("--workflow", "store") == []

    shown = depot.run("executions", "list", "--limit", "2")
    header, _, first, second = shown.stdout.strip().splitlines()
    assert header.split() == ["Id", "Workflow", "Status", "Started", "Took", "Attributes"]
    assert first.split()[:3] == ["r-1", "refuse", "failed"]
    assert (second.split()[:3], second.split()[-1]) == (["s-2", "ship", "running"], "n=2")
    assert shown.stderr == "only the newest 2 shown; --all or a larger --limit shows more\n"


def test_a_list_tells_of_what_it_left_out_and_its_json_stays_json(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        depot.does("executions", "start", "ship", f"order=o-{number}", "--id", f"s-{number}")
    cut = depot.run("executions", "list", "--limit", "4", "--json")
    assert [one["id"] for one in json.loads(cut.stdout)] == ["s-4", "s-3", "s-2", "s-1"]
    assert cut.stderr == "only the newest 4 shown; --all or a larger --limit shows more\n"

    monkeypatch.setattr("service_kit.cli.pages.PAGE_MOST", 2)  # as if they were thousands
    for words, most in (
        (("--limit", "3"), 3),
        (("--limit", "5"), 5),
        (("--limit", "1001"), 5),
        (("--all",), 5),
    ):
        found = depot.run("executions", "list", *words, "--json")
        assert [one["id"] for one in json.loads(found.stdout)] == [f"s-{4 - n}" for n in range(most)]
        assert bool(found.stderr) == (most < 5)


def test_a_failure_is_shown_with_its_traceback(depot: Depot) -> None:
    depot.does("executions", "start", "crash", "--id", "c-1")
    said = depot.refuses("executions", "result", "c-1")
    assert "error: execution 'c-1' failed: RuntimeError: the belt is stuck" in said
    assert 'raise RuntimeError("the belt is stuck")' in said


@pytest.mark.parametrize(
    ("verb", "said"), [("cancel", "was cancelled: too late"), ("terminate", "was terminated: too late")]
)
def test_an_execution_is_ended(depot: Depot, verb: str, said: str) -> None:
    depot.does("executions", "start", "ship", "order=o-1", "--id", "ship-1")
    depot.does("executions", verb, "ship-1", "--reason", "too late")
    assert f"error: execution 'ship-1' {said}" in depot.refuses("executions", "result", "ship-1")


def test_an_execution_is_paused_and_resumed(depot: Depot) -> None:
    depot.does("executions", "start", "ship", "order=o-1", "--id", "ship-1")
    depot.does("executions", "pause", "ship-1", "--reason", "the van is broken")
    for shown in (depot.does("executions", "show", "ship-1"), depot.does("executions", "list")):
        assert "running (paused)" in shown
        assert "the van is broken" in shown
    for info in (depot.json("executions", "show", "ship-1"), *depot.json("executions", "list")):
        assert (info["paused"], info["paused_reason"]) == (True, "the van is broken")
    depot.does("executions", "signal", "ship-1", "released", '"me"')
    said = depot.refuses("executions", "result", "ship-1", "--timeout", "0")
    assert said == (
        "error: execution 'ship-1' is paused (the van is broken)\n"
        "  let it go on: service-kit executions resume ship-1\n"
    )
    depot.does("executions", "resume", "ship-1")
    assert "released by me" in depot.does("executions", "result", "ship-1")


def test_the_states_of_an_execution_are_shown(depot: Depot) -> None:
    depot.does("executions", "start", "ship", "order=o-1", "--id", "ship-1")
    eventually(lambda: depot.json("executions", "state", "ship-1") == {"progress": 1})
    assert depot.json("executions", "state", "ship-1", "progress") == {"progress": 1}
    assert depot.does("executions", "state", "ship-1").split() == ["progress", "1"]
    assert depot.refuses("executions", "state", "ship-1", "mood") == (
        "error: execution 'ship-1' has set no state 'mood'\n  it has set: progress\n"
    )
    depot.does("executions", "start", "refuse", "why=closed", "--id", "r-1")
    assert depot.json("executions", "state", "r-1") == {}
    assert depot.run("executions", "state", "r-1").stderr == "execution 'r-1' has set no state\n"


def _token(depot: Depot, id: str) -> str:
    """Start an execution whose task waits for somebody outside; return the token."""
    (depot.folder / "token").unlink(missing_ok=True)
    depot.does("executions", "start", "consign", f"order={id}", "--id", id)
    eventually(lambda: (depot.folder / "token").exists() and (depot.folder / "token").read_text() != "")
    return (depot.folder / "token").read_text()


def test_a_task_is_completed_by_its_token(depot: Depot) -> None:
    token = _token(depot, "c-1")
    assert "error: the result does not fit" in depot.refuses("tasks", "complete", token, '"heavy"')
    result = depot.run("tasks", "complete", token, "2.5")
    assert (result.exit_code, result.stderr) == (0, "completed the task\n")
    assert json.loads(depot.does("executions", "result", "c-1")) == "c-1: 2.5 kg"
    for late in (("complete", token, "1"), ("fail", token, "lost")):
        assert depot.refuses("tasks", *late) == (
            "error: nobody waits for this task any more\n"
            "  it was answered or cancelled before, or its execution has ended\n"
        )


def test_a_task_is_failed_by_its_token(depot: Depot) -> None:
    token = _token(depot, "c-1")
    depot.does("tasks", "fail", "-", "the scales are broken", "--type", "Broken", stdin=f"{token}\n")
    assert "the scales are broken" in depot.refuses("executions", "result", "c-1")
    assert depot.refuses("tasks", "complete", "x.y", "1") == (
        "error: this is no task token of this service\n"
        "  give the token as `task_token()` returned it, and a result of the task's type\n"
    )


def test_a_history_is_readable_line_by_line(depot: Depot) -> None:
    depot.does("executions", "start", "ship", "order=o-1", "--id", "ship-1")
    depot.does("executions", "signal", "ship-1", "released", '"me"')
    depot.does("executions", "result", "ship-1")
    lines = depot.does("executions", "history", "ship-1").splitlines()
    assert lines[0].split()[0] == "1"
    assert lines[0].endswith("TurnStarted  turn=1")
    assert any('TaskScheduled  seq=1 name=pack input={"order":"o-1"}' in line for line in lines)
    assert any("SignalReceived" in line and 'payload="me"' in line for line in lines)
    assert lines[-1].split()[1] == "ExecutionSucceeded"


def test_an_execution_is_forked_from_one_of_its_turns(depot: Depot) -> None:
    depot.does("executions", "start", "ship", "order=o-1", "--id", "ship-1")
    depot.does("executions", "signal", "ship-1", "released", '"me"')
    depot.does("executions", "result", "ship-1")
    assert depot.does("executions", "fork", "ship-1", "1", "--id", "again") == "again\n"
    depot.does("executions", "signal", "again", "released", '"you"')
    assert "released by you" in depot.does("executions", "result", "again")
    assert depot.does("executions", "fork", "ship-1", "1").startswith("ship-1-")
    assert "'ship-1' has turns 1 to" in depot.refuses("executions", "fork", "ship-1", "9")
    assert "'again' exists already" in depot.refuses("executions", "fork", "ship-1", "1", "--id", "again")
    assert "there is no execution 'ship-2'" in depot.refuses("executions", "fork", "ship-2", "1")


def test_an_event_that_the_service_does_not_know_is_refused_with_those_that_it_knows(depot: Depot) -> None:
    said = depot.refuses("events", "emit", "Shiped", "order=o-1")
    assert "knows no event 'Shiped'" in said
    assert "it knows: Shipped" in said


def test_an_event_is_published_and_one_that_fails_is_delivered_again(depot: Depot) -> None:
    depot.does("events", "emit", "Shipped", '{"order": "good"}')
    depot.does("events", "emit", "Shipped", "order=bad", "boxes:=-1")
    (letter,) = eventually(lambda: depot.json("dead-letters", "list") or None)
    assert (letter["event"], letter["subscription"]) == ("Shipped", "count")
    assert letter["payload"] == {"order": "bad", "boxes": -1}
    row = depot.does("dead-letters", "list", "--subscription", "count").strip().splitlines()[-1]
    assert row.split()[0] == letter["event_id"]
    assert row.rstrip().endswith("ValueError: less than nothing was shipped")

    (depot.folder / "mended").touch()
    said = depot.run("dead-letters", "redrive", "count", "--event", letter["event_id"])
    assert (said.exit_code, said.stderr) == (0, "1 letter is delivered again to 'count'\n")
    eventually(lambda: (depot.folder / "shipped").read_text() == "good\nbad\n")
    assert depot.json("dead-letters", "list") == []
    assert "subscription 'count' has no dead letter\n" in depot.refuses("dead-letters", "redrive", "count")
    refused = depot.refuses("dead-letters", "redrive", "coutn")
    assert "has no subscription 'coutn'" in refused
    assert "it has: count\n" in refused


def test_dead_letters_are_listed_shown_and_discarded(depot: Depot) -> None:
    for order in ("o-0", "o-1", "o-2"):
        depot.does("events", "emit", "Shipped", f"order={order}", "boxes:=-1")

    def all_three() -> Any:
        found = depot.json("dead-letters", "list", "--all")
        return found if len(found) == 3 else None

    letters = eventually(all_three)
    ids = [letter["event_id"] for letter in letters]
    shown = depot.run("dead-letters", "list", "--limit", "2")
    cut = depot.run("dead-letters", "list", "--limit", "2", "--json")
    assert [letter["event_id"] for letter in json.loads(cut.stdout)] == ids[:2]
    assert shown.stderr == cut.stderr == "only the oldest 2 shown; --all or a larger --limit shows more\n"

    told = depot.json("dead-letters", "show", "count", ids[0])
    assert told == letters[0]
    assert told["attempts"] == 1
    facts, _, traceback = depot.does("dead-letters", "show", "count", ids[0]).partition("\n\n")
    assert ids[0] in facts
    assert "builtins:ValueError: less than nothing was shipped" in facts
    assert f'"order": "{told["payload"]["order"]}"' in facts
    assert traceback.startswith("Traceback (most recent call last):\n")
    assert 'raise ValueError("less than nothing was shipped")' in traceback

    done = depot.run("dead-letters", "discard", "count", ids[0], ids[1])
    assert (done.exit_code, done.stderr) == (0, "2 letters of 'count' discarded\n")
    again = depot.run("dead-letters", "discard", "count", *ids)
    assert (again.exit_code, again.stderr) == (
        0,
        "1 letter of 'count' discarded\n2 were no dead letter any more\n",
    )
    assert depot.json("dead-letters", "list") == []
    assert "has no dead letter for event" in depot.refuses("dead-letters", "show", "count", ids[0])
    assert "'count' is not known to have had event 'typo'" in depot.refuses(
        "dead-letters", "discard", "count", ids[0], "typo"
    )
    assert "has no subscription 'coutn'" in depot.refuses("dead-letters", "discard", "coutn", ids[0])


@pytest.mark.parametrize(
    "words",
    [
        ("show", "o-9"),
        ("history", "o-9"),
        ("state", "o-9"),
        ("state", "o-9", "progress"),
        ("result", "o-9"),
        ("signal", "o-9", "released"),
        ("cancel", "o-9"),
        ("terminate", "o-9"),
        ("pause", "o-9"),
        ("resume", "o-9"),
    ],
)
def test_an_unknown_id_is_told(depot: Depot, words: tuple[str, ...]) -> None:
    assert depot.refuses("executions", *words) == (
        f"error: there is no execution 'o-9' at {depot.url}\n  `service-kit executions list` has them\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("signal", "r-1", "released", '"me"'),
        ("cancel", "r-1"),
        ("terminate", "r-1"),
        ("pause", "r-1"),
        ("resume", "r-1"),
    ],
)
def test_what_comes_too_late_for_an_execution_is_told(depot: Depot, words: tuple[str, ...]) -> None:
    depot.does("executions", "start", "refuse", "why=closed", "--id", "r-1")
    depot.run("executions", "result", "r-1")
    assert depot.refuses("executions", *words) == (
        "error: execution 'r-1' has ended already\n  `service-kit executions show r-1` tells how\n"
    )


def test_an_unknown_workflow_and_a_wrong_input_are_told(depot: Depot) -> None:
    said = depot.refuses("executions", "start", "shop", "order=o-1")
    assert f"error: the service at {depot.url} offers no workflow 'shop'" in said
    assert "it offers: consign, crash, refuse, ship, store;" in said
    said = depot.refuses("executions", "start", "ship", "boxes:=2")
    assert "422 Invalid workflow input" in said
    assert "order: Field required" in said


@pytest.mark.parametrize("words", [("executions", "signal", "o-1", "said"), ("tasks", "complete", "t")])
def test_text_that_is_no_json_is_told_with_the_word_that_is(
    workshop: Workshop, words: tuple[str, ...]
) -> None:
    for text in ('she said "ü"', "it's"):
        said = workshop.run(*words, text).stderr
        (cure,) = shlex.split(said.partition("quote text: ")[2])
        assert json.loads(cure) == text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("executions", "signal", "o-1", "released", "yes"), "the payload is not JSON"),
        (("tasks", "complete", "t", "yes"), "the result is not JSON"),
        (("executions", "list", "--attribute", "n"), "'n' is no attribute"),
        (("executions", "start", "ship", "{"), "the arguments are not JSON"),
        (("executions", "list", "--url", "depot"), "url 'depot' does not begin with http"),
        (
            ("executions", "list", "--api-key", "two\nlines", "--url", "http://127.0.0.1:9"),
            "key does not fit",
        ),
        (("events", "emit", "Shipped", "[1]"), "the fields of event 'Shipped' are no JSON object"),
    ],
)
def test_words_that_cannot_be_used_are_told_before_anything_is_asked(
    workshop: Workshop, words: tuple[str, ...], said: str
) -> None:
    result = workshop.run(*words)
    assert result.exit_code == 2
    assert f"error: {said}" in result.stderr


@pytest.mark.parametrize("words", [("list",), ("result", "o-1"), ("start", "ship", "--follow")])
def test_a_service_that_does_not_run_is_told(workshop: Workshop, words: tuple[str, ...]) -> None:
    result = workshop.run("executions", *words, "--url", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: nothing answers at http://127.0.0.1:9 (")
    assert "start the service (service-kit dev module:Service), or say where it runs: --url" in result.stderr


def test_a_service_of_commands_alone_has_no_executions(workshop: Workshop, serve: Serve) -> None:
    url = serve(load_service("orders").asgi())
    result = workshop.run("executions", "list", "--url", url)
    assert result.exit_code == 1
    assert f"error: the service at {url}: serves commands only" in result.stderr
    assert "service-kit dev" in result.stderr


def test_a_closed_service_admits_credentials_alone(workshop: Workshop, serve: Serve) -> None:
    workshop.write(
        "depot.py",
        SERVICE.replace(
            "class Depot(Service):", "class Depot(Service, security=[key], management=[key]):"
        ).replace(
            "class Depot(",
            "from service_kit import ApiKey\n"
            "async def known(secret: str) -> str | None:\n"
            "    return 'somebody' if secret == 'open-sesame' else None\n"
            "key = ApiKey(known, 'X-Depot-Key')\n"
            "class Depot(",
        ),
    )
    url = serve(LocalHost(load_service("depot"), workshop.folder / "depot.db").asgi())
    closed = workshop.run("executions", "list", "--url", url)
    assert closed.exit_code == 1
    assert f"error: the management API at {url} is closed (401)" in closed.stderr
    assert "--api-key" in closed.stderr
    for credentials in (["--api-key", "open-sesame"], ["--header", "X-Depot-Key: open-sesame"]):
        assert workshop.run("executions", "list", "--url", url, *credentials).exit_code == 0


def test_a_service_without_a_scheme_is_closed_to_proxies(depot: Depot) -> None:
    said = depot.refuses("executions", "list", "--header", "X-Forwarded-For: 10.0.0.1")
    assert "is closed (403): the management API admits this machine only" in said


def test_every_status_can_be_asked_for() -> None:
    assert [status.value for status in Status] == list(get_args(ExecutionStatus))
