"""Search attributes: set, read, taken away, handed on, and compared by replay."""

from __future__ import annotations

from service_kit.engine.calls import AttributeSet, ChildStarted
from service_kit.engine.context import require_workflow
from service_kit.engine.history import ContinuedAsNew
from service_kit.engine.instance import replay
from service_kit.engine.options import ChildOptions
from service_kit.engine.payload import digest
from tests.engine.conftest import Begin
from tests.engine.driving import Execution, code_of, history_of, replay_error, task


def test_attributes_are_set_read_and_taken_away(begin: Begin) -> None:
    async def finds_its_place() -> list[dict[str, str]]:
        attributes = require_workflow("the test").attributes
        seen = [dict(attributes)]
        require_workflow("the test").set_attribute("region", "eu")
        await task("a")
        require_workflow("the test").set_attribute("region", "us")
        require_workflow("the test").set_attribute("tier", "3")
        seen.append(dict(attributes))
        require_workflow("the test").set_attribute("region", None)
        require_workflow("the test").set_attribute("nothing", None)
        return [*seen, dict(attributes)]

    run = begin(finds_its_place)
    run.succeed("a")
    assert [(call.seq, call.name, call.value) for call in run.calls(AttributeSet)] == [
        (1, "region", "eu"),
        (3, "region", "us"),
        (4, "tier", "3"),
        (5, "region", None),
        (6, "nothing", None),
    ]
    assert run.result == [{}, {"region": "us", "tier": "3"}, {"tier": "3"}]


def test_the_next_run_has_the_attributes_that_the_last_one_left() -> None:
    async def labels() -> None:
        require_workflow("the test").set_attribute("region", "eu")
        require_workflow("the test").set_attribute("tier", "3")
        require_workflow("the test").set_attribute("tier", None)
        await require_workflow("the test").continue_as_new("null")

    run = Execution(labels, cold=False)
    run.start()
    assert run.history[-1] == ContinuedAsNew("null", digest("null"), (), {"region": "eu"})


def test_children_are_given_theirs_with_their_start() -> None:
    async def starts() -> None:
        workflow = require_workflow("the test")
        workflow.start_child("pack", "1", options=ChildOptions(attributes={"region": "eu"}))
        workflow.start_child("pack", "2", options=ChildOptions(attributes={}))

    run = Execution(starts, cold=False)
    run.start()
    assert [call.attributes for call in run.calls(ChildStarted)] == [{"region": "eu"}, None]


def test_changed_attribute_shows_both_sides() -> None:
    async def labels() -> None:
        require_workflow("the test").set_attribute("region", "eu")
        await task("a")

    async def otherwise() -> None:
        require_workflow("the test").set_attribute("region", None)
        await task("a")

    history = history_of(labels)
    replay(code_of(labels), history).discard()
    error = replay_error(otherwise, history)
    assert error.recorded.startswith("AttributeSet #1 'region' (arguments ")
    assert error.made == "AttributeSet #1 'region'"
