"""`service-kit call`: in process, and of running services."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service_kit.cli.targets import load_service
from tests.cli.conftest import GUARDED, Serve, Workshop, called
from tests.cli.durable import SERVICE

COMMANDS = """
@command
async def begin(order: str) -> str:
    return (await ship.options(id=f"ship-{order}").start(order)).id

@command
async def release(order: str, by: str) -> str:
    run = ship.get(f"ship-{order}")
    await run.signal(released, by)
    return await run.result()

class Counter(Service):
    begin = begin
    release = release
    ship = ship
    released = released
"""


@pytest.fixture
def url(workshop: Workshop, serve: Serve) -> str:
    return serve(load_service("orders").asgi())


@pytest.mark.parametrize(
    "words",
    [
        ['{"sku": "12", "quantity": 3}'],
        ["sku=12", "quantity=3"],
        ["sku=12", "quantity:=3"],
    ],
)
def test_a_command_is_called_in_process(workshop: Workshop, words: list[str]) -> None:
    assert called(workshop, "orders:Orders", "place_order", *words) == {
        "id": "o-1",
        "sku": "12",
        "quantity": 3,
    }


def test_the_answer_goes_into_a_pipe_as_the_service_sent_it(workshop: Workshop) -> None:
    result = workshop.run("call", "orders", "place_order", "sku=s")
    assert result.stdout == '{"id":"o-1","sku":"s","quantity":1}\n'


def test_arguments_are_read_from_stdin(workshop: Workshop) -> None:
    result = workshop.run("call", "orders", "place_order", "-", stdin='{"sku": "s-9"}')
    assert json.loads(result.stdout)["sku"] == "s-9"


def test_a_command_without_a_result_prints_nothing(workshop: Workshop) -> None:
    result = workshop.run("call", "orders", "forget")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize("words", [["{url}", "orders", "place_order"], ["{url}", "place_order"]])
def test_a_running_service_is_called_with_and_without_its_module(
    workshop: Workshop, url: str, words: list[str]
) -> None:
    options = ["--url", *(word.format(url=url) for word in words)]
    assert called(workshop, *options, "sku=12", "quantity=3") == {"id": "o-1", "sku": "12", "quantity": 3}
    assert called(workshop, *options, '{"sku": "12"}')["sku"] == "12"


def test_items_of_a_stream_are_lines(workshop: Workshop, url: str) -> None:
    for place in (["orders"], ["--url", url]):
        result = workshop.run("call", *place, "tail", "count=2")
        assert result.exit_code == 0
        assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["o-0", "o-1"]


def test_a_stream_that_fails_shows_its_items_and_the_problem(workshop: Workshop) -> None:
    result = workshop.run("call", "orders", "tail", "count=9")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 4
    assert result.stderr.startswith("error: 409 Out of stock: Out of stock (sku='s-3')\n  sku: \"s-3\"\n")


def test_a_declared_error_is_shown_with_its_fields(workshop: Workshop) -> None:
    result = workshop.run("call", "orders", "place_order", "sku=gone")
    assert (result.exit_code, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert lines[:2] == ["error: 409 Out of stock: Out of stock (sku='gone')", '  sku: "gone"']
    assert lines[2].startswith("  request id: ")


def test_invalid_arguments_are_shown_one_by_one(workshop: Workshop) -> None:
    result = workshop.run("call", "orders", "place_order", "quantity=many", "colour=red")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[:4] == [
        "error: 422 Unprocessable Content",
        "  body.sku: Field required",
        "  body.quantity: Input should be a valid integer, unable to parse string as an integer",
        "  body.colour: Extra inputs are not permitted",
    ]


def test_a_bug_in_process_is_shown_with_the_users_lines(workshop: Workshop) -> None:
    result = workshop.run("call", "orders", "place_order", "sku=bug")
    assert result.exit_code == 1
    assert 'raise RuntimeError("a secret")' in result.stderr
    assert "endpoint.py" not in result.stderr
    assert "error: 500 Internal Server Error" in result.stderr


def test_a_bug_elsewhere_is_not_shown(workshop: Workshop, url: str) -> None:
    result = workshop.run("call", "--url", url, "place_order", "sku=bug")
    assert result.exit_code == 1
    assert "a secret" not in result.stderr
    assert "error: 500 Internal Server Error" in result.stderr


def test_who_calls_a_workflow_is_told_how_it_is_started(workshop: Workshop) -> None:
    workshop.write("depot.py", SERVICE)
    result = workshop.run("call", "depot:Depot", "ship", "order=o-1")
    assert result.exit_code == 2
    assert "'ship' of service 'depot' is a workflow, and no command" in result.stderr
    assert "service-kit executions start ship" in result.stderr


def test_an_unknown_command_is_corrected(workshop: Workshop, url: str) -> None:
    for place in (["orders"], ["--url", url], ["--url", url, "orders"]):
        result = workshop.run("call", *place, "place_orde", "sku=s")
        assert result.exit_code in (1, 2)
        assert "has no command 'place_orde'\n  did you mean 'place_order'?" in result.stderr


def test_a_command_that_is_missing_is_told(workshop: Workshop) -> None:
    result = workshop.run("call", "orders", "sku=s")
    assert result.exit_code == 2
    assert "the command is missing" in result.stderr


def test_texts_that_look_like_numbers_stay_texts_for_a_running_service(
    guarded: Workshop, guarded_url: str
) -> None:
    assert called(guarded, "--url", guarded_url, "echo", "text=1", "texts=2", "texts=3") == ["1", "2", "3"]


@pytest.mark.parametrize("command", ["wait", "wait_in_stream"])
def test_a_call_ends_at_its_timeout(guarded: Workshop, command: str) -> None:
    result = guarded.run("call", "guarded", command, "--timeout", "0.05")
    assert result.exit_code == 1
    assert "within 0.05 s" in result.stderr


def test_a_timeout_may_be_endless(guarded: Workshop) -> None:
    assert called(guarded, "guarded", "echo", "text=x", "--timeout", "inf") == ["x"]


def test_the_lifespan_is_opened_and_closed_in_process(guarded: Workshop) -> None:
    import sys

    assert called(guarded, "guarded", "echo", "text=x") == ["x"]
    assert sys.modules["guarded"].events == ["opened", "closed"]


def test_a_lifespan_that_fails_is_told(workshop: Workshop) -> None:
    workshop.write(
        "failing.py", GUARDED.replace('events.append("opened")', 'raise RuntimeError("no database")')
    )
    result = workshop.run("call", "failing", "echo", "text=x")
    assert result.exit_code == 1
    assert "RuntimeError: no database" in result.stderr
    assert result.stderr.endswith("error: the service's lifespan failed\n")


def test_nobody_at_the_url_is_told(workshop: Workshop) -> None:
    result = workshop.run("call", "--url", "http://127.0.0.1:1", "place_order", "{}")
    assert result.exit_code == 1
    assert "cannot connect to http://127.0.0.1:1" in result.stderr
    assert "check the URL, and that the service runs" in result.stderr


def test_something_else_at_the_url_is_told(workshop: Workshop, serve: Serve) -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [(b"content-type", b"text/html")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"<p>\x1b[31mwelcome</p>"})
            return
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})

    result = workshop.run("call", "--url", serve(page), "place_order", "{}")
    assert result.exit_code == 1
    assert "not an answer of a service but text/html" in result.stderr
    assert "\x1b" not in result.stderr


def test_what_a_call_in_process_starts_goes_on_with_the_next(workshop: Workshop) -> None:
    workshop.write("depot.py", SERVICE + COMMANDS)
    assert called(workshop, "depot:Counter", "begin", "order=o-1") == "ship-o-1"
    assert called(workshop, "depot:Counter", "release", "order=o-1", "by=me") == "box of o-1, released by me"
    assert (workshop.folder / ".service-kit" / "counter.db").is_file()
    elsewhere = str(workshop.folder / "other.db")
    result = workshop.run("call", "depot:Counter", "release", "order=o-1", "by=me", "--database", elsewhere)
    assert (result.exit_code, "ExecutionNotFound" in result.stderr) == (1, True)


def test_a_database_is_for_a_call_in_process(workshop: Workshop) -> None:
    words = ["place_order", "sku=s", "--url", "http://127.0.0.1:1", "--database", "x.db"]
    result = workshop.run("call", *words)
    assert result.exit_code == 2
    assert "--database is for a call in this process" in result.stderr
