"""What answers mean: problems, declared errors and drift, and what their messages tell and keep."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from client_kit import ContractDrift, ProblemError, Response
from client_kit.answers import failure_of, result_of
from client_kit.errors import AnswerTooLarge, CallError, CallTimeout, ConnectionLost, InvalidOption
from tests.client_kit.shop import Answer, OutOfStock, place, problem

SECRET = "hunter2"


def _failure(answer: Answer) -> Exception:
    return failure_of(place, Response(answer.status, {"content-type": answer.media_type}, answer.body))


def _invalid_input(*errors: dict[str, Any]) -> Exception:
    return _failure(problem(422, "urn:problem-type:service-kit:invalid-input", errors=list(errors)))


def _drift_of_result(body: bytes) -> ContractDrift:
    with pytest.raises(ContractDrift) as raised:
        result_of(place, Response(200, {"content-type": "application/json; charset=utf-8"}, body))
    return raised.value


def test_a_problem_carries_all_members() -> None:
    error = _failure(problem(403, "urn:x:quota", used=7))
    assert isinstance(error, ProblemError)
    assert (error.status, error.type, error.title, error.detail) == (403, "urn:x:quota", "T", "D")
    assert (error.request_id, error.members) == ("r-1", {"used": 7})
    assert str(error) == "command 'place': 403 T: D (request id r-1)"


def test_the_request_id_of_the_header_serves_if_the_problem_has_none() -> None:
    error = failure_of(place, Response(502, {"content-type": "text/html", "x-request-id": "r-9"}, b"<html>"))
    assert isinstance(error, ProblemError)
    assert error.request_id == "r-9"


def test_input_that_breaks_a_rule_of_the_service_is_a_problem_that_names_it() -> None:
    error = _invalid_input(
        {"loc": ["quantity"], "msg": "Input should be greater than 0", "type": "greater_than"}
    )
    assert isinstance(error, ProblemError)
    assert "quantity: Input should be greater than 0" in str(error)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "'currency' is required by the service, and this contract does not know it"),
        ("extra_forbidden", "'currency' is sent by this contract, and the service does not know it"),
        ("string_type", "'currency' does not fit the service (M)"),
        ("int_parsing", "'currency' does not fit the service (M)"),
        ("literal_error", "'currency' does not fit the service (M)"),
    ],
)
def test_arguments_that_the_contract_wrote_and_the_service_cannot_read_are_drift(
    kind: str, says: str
) -> None:
    error = _invalid_input({"loc": ["currency"], "msg": "M", "type": kind})
    assert isinstance(error, ContractDrift)
    assert "command 'place'" in str(error)
    assert says in str(error)
    assert "install the contract that the service has now" in str(error)
    assert isinstance(error.__cause__, ProblemError)


def test_a_missing_command_is_drift() -> None:
    error = _failure(problem(404, "urn:problem-type:service-kit:not-found"))
    assert isinstance(error, ContractDrift)
    assert "command 'place': the service at this URL: has no such command; check the URL" in str(error)


def test_a_result_without_a_required_field_is_drift_that_names_it_and_shows_no_values() -> None:
    drift = _drift_of_result(f'{{"id":"{SECRET}"}}'.encode())
    assert drift.fields == {"sku": "is required by this contract, and the service does not send it"}
    assert "command 'place': its answer: 'sku' is required" in str(drift)
    assert SECRET not in str(drift)


def test_a_result_of_another_type_is_drift() -> None:
    drift = _drift_of_result(f'{{"id":"a","sku":"b","quantity":"{SECRET}"}}'.encode())
    assert list(drift.fields) == ["quantity"]
    assert "integer" in str(drift)
    assert SECRET not in str(drift)


def test_a_result_that_is_no_json_is_drift() -> None:
    assert "Invalid JSON" in str(_drift_of_result(b'{"id'))


def test_a_declared_error_whose_fields_no_longer_fit_is_drift() -> None:
    error = _failure(problem(409, "urn:problem-type:shop:OutOfStock", left=3))
    assert isinstance(error, ContractDrift)
    assert "its error 'OutOfStock': 'sku' is required by this contract" in str(error)


def test_an_error_that_this_contract_does_not_know_is_a_problem_with_its_fields() -> None:
    error = _failure(problem(409, "urn:problem-type:shop:Discontinued", since=2020))
    assert isinstance(error, ProblemError)
    assert (error.type, error.members) == ("urn:problem-type:shop:Discontinued", {"since": 2020})


def test_a_problem_of_the_framework_never_stands_for_a_declared_error() -> None:
    error = _failure(problem(409, "urn:problem-type:service-kit:OutOfStock", sku="s"))
    assert not isinstance(error, OutOfStock)


def test_text_of_others_is_bounded_and_cannot_forge_lines() -> None:
    error = _failure(problem(500, title="x\r\n2024 INFO all is well", detail="y" * 10_000))
    assert "\n" not in str(error)
    assert "\r" not in str(error)
    assert len(str(error)) < 800


@pytest.mark.parametrize(
    "error",
    [
        ProblemError("place", 403, type="urn:x", title="T", detail="D", request_id="r", members={"a": 1}),
        ContractDrift("place", "its answer", {"sku": "is new"}, "update"),
        AnswerTooLarge(10, "place"),
        ConnectionLost("reset", "place", 3),
        CallTimeout("no answer", "place", 2),
    ],
)
def test_errors_survive_being_copied_between_processes(error: CallError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


def test_the_tree_of_errors_is_the_one_drawn_at_its_top() -> None:
    assert issubclass(CallTimeout, TimeoutError)
    assert issubclass(InvalidOption, ValueError)
    assert not issubclass(InvalidOption, CallError)
    assert not issubclass(OutOfStock, CallError)


def test_a_title_with_which_the_detail_begins_is_said_once() -> None:
    begun = ProblemError("pay", 402, title="Card declined", detail="Card declined (order='o-1')")
    assert str(begun) == "command 'pay': 402 Card declined (order='o-1')"
    assert (
        str(ProblemError("pay", 402, title="Card declined", detail="ask"))
        == "command 'pay': 402 Card declined: ask"
    )
    assert str(ProblemError("pay", 402, detail="ask")) == "command 'pay': 402: ask"
