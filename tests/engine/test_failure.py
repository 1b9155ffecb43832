"""Errors travel as data and come back as what they were."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle

import pytest

from service_kit.engine.failure import Failure, child_error, describe_error, task_error
from service_kit.engine.wire import decode_failure, encode_failure
from service_kit.errors import (
    NonDeterminismError,
    RemoteError,
    ServiceError,
    TaskFailed,
    TimedOut,
    WorkflowCancelled,
    WorkflowFailed,
    WorkflowTerminated,
)
from tests.engine.conftest import Begin
from tests.engine.driving import task


class OutOfStock(ServiceError, status=409):
    sku: str


class Declared:
    """Knows one declared error, as the contract will know all of a service."""

    def fields(self, error: BaseException) -> str | None:
        return json.dumps(error.fields()) if isinstance(error, OutOfStock) else None

    def rebuild(self, failure: Failure) -> BaseException | None:
        if failure.type.endswith(":OutOfStock") and failure.fields is not None:
            return OutOfStock(**json.loads(failure.fields))
        return None


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - the test's own error
        return caught


def test_declared_error_comes_back_as_its_class_with_fields_and_remote_traceback() -> None:
    failure = decode_failure(encode_failure(describe_error(raised(OutOfStock(sku="s-1")), Declared())))
    error = task_error("charge_card", failure, Declared())
    assert isinstance(error, OutOfStock)
    assert error.sku == "s-1"
    assert isinstance(error.__cause__, TaskFailed)
    assert "raise error" in error.__cause__.traceback


def test_undeclared_error_comes_back_as_task_failed() -> None:
    error = task_error("charge_card", describe_error(raised(ValueError("no")), Declared()), Declared())
    assert isinstance(error, TaskFailed)
    assert (error.name, error.type, error.message) == ("charge_card", "builtins:ValueError", "no")
    assert str(error) == "task 'charge_card' failed: ValueError: no"
    assert "Traceback" in error.__notes__[0]


def test_causes_travel_along() -> None:
    try:
        try:
            raise KeyError("deep")
        except KeyError as error:
            raise ValueError("high") from error
    except ValueError as error:
        failure = describe_error(error)
    assert failure.cause is not None
    assert failure.cause.type == "builtins:KeyError"
    assert "KeyError" not in failure.traceback
    again = child_error("order", failure)
    assert isinstance(again, WorkflowFailed)
    assert isinstance(again.__cause__, RemoteError)
    assert str(again.__cause__) == "the cause 'order' failed: KeyError: 'deep'"


def test_context_is_a_cause_unless_it_is_suppressed() -> None:
    def chained(*, suppress: bool) -> Failure:
        try:
            try:
                raise KeyError("deep")
            except KeyError:
                if suppress:
                    raise ValueError("high") from None
                raise ValueError("high")  # noqa: B904 - that is the point
        except ValueError as error:
            return describe_error(error)

    assert chained(suppress=False).cause is not None
    assert chained(suppress=True).cause is None


def test_circle_of_causes_ends() -> None:
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    failure: Failure | None = describe_error(first)
    depth = 0
    while failure is not None:
        failure, depth = failure.cause, depth + 1
    assert depth == 9, "an error and eight causes"


def test_enormous_traceback_is_cut() -> None:
    whole = describe_error(raised(ValueError("x" * 10_000)))
    assert whole.traceback.startswith("Traceback (most recent call last):\n")
    failure = describe_error(ValueError("x" * 100_000))
    assert len(failure.traceback) == len("[...]\n") + 16_000, "its end says most"
    assert failure.traceback.startswith("[...]\nxxx")


def test_text_that_no_store_could_take_is_escaped() -> None:
    failure = describe_error(raised(OSError("no file 'caf\udce9'")))
    assert failure.message == r"no file 'caf\udce9'"
    assert failure.traceback.encode()


def test_error_whose_message_cannot_be_made_still_travels() -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise KeyError("detail")

    failure = describe_error(raised(Unspeakable()))
    assert failure.message == "(its message cannot be made: KeyError)"
    assert "Unspeakable" in failure.traceback


def test_remote_error_that_travels_again_keeps_its_first_traceback() -> None:
    failure = describe_error(raised(ValueError("no")))
    again = describe_error(raised(task_error("a", failure)))
    assert again.type == "service_kit.errors:TaskFailed"
    assert again.traceback == failure.traceback


@pytest.mark.parametrize(
    ("error", "kind", "cls"),
    [
        (TimeoutError(), "timeout", TimedOut),
        (TimedOut("too slow"), "timeout", TimedOut),
        (asyncio.CancelledError(), "cancelled", WorkflowCancelled),
        (WorkflowCancelled("w", "t", "m"), "cancelled", WorkflowCancelled),
        (WorkflowTerminated("w", "t", "m"), "terminated", WorkflowTerminated),
        (ValueError("no"), "error", WorkflowFailed),
    ],
)
def test_kind_of_a_failure_decides_the_class(error: BaseException, kind: str, cls: type) -> None:
    failure = describe_error(error)
    assert failure.kind == kind
    assert type(child_error("order", failure)) is cls


def test_timeout_of_a_task_is_a_timeout_error_that_names_it() -> None:
    error = task_error("charge", Failure("service_kit.errors:TimedOut", "", "timeout"))
    assert isinstance(error, TimeoutError)
    assert str(error) == "task 'charge' timed out"
    assert str(task_error("charge", Failure("a:B", "after 5 s", "timeout"))) == "after 5 s"


def test_error_without_words_is_still_a_sentence() -> None:
    assert str(TaskFailed("charge", "", "")) == "task 'charge' failed: "
    assert str(TaskFailed("charge", "shop:Broken", "")) == "task 'charge' failed: Broken"


@pytest.mark.parametrize(
    "error",
    [
        TaskFailed("charge", "a:B", "no", '{"x":1}', "Traceback"),
        WorkflowCancelled("order", "a:B", "no"),
        NonDeterminismError("differs", "file:1", "one", "other"),
        TimedOut("slow"),
    ],
)
def test_errors_can_be_copied_and_pickled(error: Exception) -> None:
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_workflow_catches_the_declared_error_of_a_task(begin: Begin) -> None:
    async def orders() -> str:
        try:
            await task("reserve")
        except OutOfStock as error:
            return f"sorry, no {error.sku}"
        return "reserved"

    run = begin(orders, failures=Declared())
    run.fail("reserve", describe_error(OutOfStock(sku="s-1"), Declared()))
    assert run.result == "sorry, no s-1"


def test_workflow_that_lets_it_pass_fails_with_the_same_declared_error(begin: Begin) -> None:
    async def orders() -> None:
        await task("reserve")

    run = begin(orders, failures=Declared())
    run.fail("reserve", describe_error(raised(OutOfStock(sku="s-1")), Declared()))
    error = child_error("orders", run.failure, Declared())
    assert isinstance(error, OutOfStock)
    assert run.failure.cause is not None
    assert "raise error" in run.failure.cause.traceback


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (Failure("", "no more", "cancelled"), "workflow 'w' was cancelled: no more"),
        (Failure("", "it was cancelled", "cancelled"), "workflow 'w' was cancelled"),
        (Failure("", "it was terminated", "terminated"), "workflow 'w' was terminated"),
        (Failure("shop:Broken", "really"), "workflow 'w' failed: Broken: really"),
    ],
)
def test_an_execution_that_was_ended_is_not_said_to_have_failed(failure: Failure, told: str) -> None:
    assert str(child_error("w", failure)) == told
