"""Contracts written by hand in the words of `client_kit.contracts`: what the service never sees."""

from __future__ import annotations

import inspect
import json
import pickle
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

import client_kit
import service_kit
from client_kit import contracts
from client_kit.contracts import (
    OMITTED,
    Body,
    Cookie,
    DocumentedError,
    Event,
    ExecutionNotFound,
    Header,
    Path,
    Query,
    RemoteError,
    RestService,
    Service,
    ServiceError,
    SparseModel,
    TimedOut,
    WorkflowCancelled,
    WorkflowFailed,
    WorkflowTerminated,
    command,
    stream,
    workflow,
)
from client_kit.contracts.rest import RestCommand
from client_kit.executions import ExecutionHandle
from service_kit.contract.outcomes import encode_outcome
from service_kit.engine.failure import Failure
from service_kit.engine.history import (
    Ending,
    ExecutionCancelled,
    ExecutionRaised,
    ExecutionSucceeded,
    ExecutionTerminated,
    ExecutionTimedOut,
)


class Order(BaseModel):
    id: str


class OutOfStock(ServiceError, status=409):
    """Nothing is left."""

    sku: str
    left: int = 0


class Orders(Service, name="orders", version="1.0"):
    """Orders."""

    @command(errors=[OutOfStock])
    async def place(self, sku: str, quantity: int = 1, *, note: str = OMITTED) -> Order:
        raise NotImplementedError

    @command()
    async def forget(self, order: Order) -> None:
        raise NotImplementedError

    @stream()
    def tail(self, count: int) -> AsyncIterator[Order]:
        raise NotImplementedError

    @workflow(errors=[OutOfStock])
    async def process(self, order_id: str) -> Order:
        raise NotImplementedError


def test_arguments_are_bound_as_python_binds_them() -> None:
    place = Orders.place
    assert place.encode_call(("a",), {}) == b'{"sku":"a"}'
    assert place.encode_call(("a", 2), {"note": "n"}) == b'{"sku":"a","quantity":2,"note":"n"}'
    assert place.encode_call(("a",), {"note": OMITTED}) == b'{"sku":"a"}'
    wrong: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        ((), {}, "missing its argument 'sku'"),
        (("a", 1, "n"), {}, "at most 2 positional"),
        (("a",), {"sku": "b"}, "multiple values for argument 'sku'"),
        (("a",), {"amount": 2}, "unexpected keyword argument 'amount'"),
    ]
    for args, kwargs, complaint in wrong:
        with pytest.raises(TypeError, match=complaint):
            place.encode_call(args, kwargs)


def test_a_lone_model_is_the_body_and_nothing_is_no_answer() -> None:
    assert Orders.forget.encode_call((Order(id="o-1"),), {}) == b'{"id":"o-1"}'
    assert Orders.forget.decode_result(b"") is None
    assert Orders.tail.decode_result(b'{"id":"o-1"}') == Order(id="o-1")


def _ending(ending: Ending) -> Order:
    return Orders.process.decode_outcome(encode_outcome(ending))


def test_endings_of_executions_are_read_as_the_runtime_writes_them() -> None:
    assert _ending(ExecutionSucceeded('{"id":"o-1"}', "")) == Order(id="o-1")
    with pytest.raises(WorkflowCancelled, match="workflow 'process' was cancelled: no more"):
        _ending(ExecutionCancelled("no more"))
    with pytest.raises(WorkflowTerminated, match=r"^workflow 'process' was terminated$"):
        _ending(ExecutionTerminated())
    with pytest.raises(TimedOut, match=r"did not end within 1\.5 s"):
        _ending(ExecutionTimedOut(1.5))


def test_a_declared_error_of_a_workflow_is_raised_as_its_class_with_its_history() -> None:
    cause = Failure("shop.bank:Refused", "no money", traceback="Traceback of the bank")
    failure = Failure("shop.model:OutOfStock", "gone", fields='{"sku":"a"}', cause=cause)
    with pytest.raises(OutOfStock) as raised:
        _ending(ExecutionRaised(failure))
    assert (raised.value.sku, raised.value.left) == ("a", 0)
    remote = raised.value.__cause__
    assert isinstance(remote, WorkflowFailed)
    assert isinstance(remote.__cause__, RemoteError)
    assert "Traceback of the bank" in remote.__cause__.__notes__


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (Failure("shop:Bug", "broken"), WorkflowFailed),
        (Failure("shop:OutOfStock", "of another version", fields='{"what":1}'), WorkflowFailed),
        (Failure("asyncio:CancelledError", "", "cancelled"), WorkflowCancelled),
        (Failure("builtins:TimeoutError", "too long", "timeout"), TimedOut),
    ],
)
def test_any_other_error_of_a_workflow_says_what_it_was(failure: Failure, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        _ending(ExecutionRaised(failure))


def test_an_ending_of_a_later_version_is_an_error_with_a_cure() -> None:
    with pytest.raises(
        ValueError, match="ExecutionVanished is no ending of an execution; upgrade client_kit"
    ):
        Orders.process.decode_outcome('{"v":1,"events":[["ExecutionVanished"]]}')


def test_errors_are_made_compared_and_sent_between_processes() -> None:
    error = OutOfStock(sku="a")
    assert str(error) == "Out of stock (sku='a', left=0)"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.fields()) == (OutOfStock, {"sku": "a", "left": 0})
    with pytest.raises(ValueError, match="sku"):
        OutOfStock(left=1)  # type: ignore[call-arg]  # what is wrong here
    assert OutOfStock.decode_fields({"sku": "a", "status": 409, "later": 1}).left == 0
    assert issubclass(ExecutionNotFound, LookupError)


def test_an_event_may_have_a_name_that_is_not_its_class_name() -> None:
    class Placed(Event, name="order.placed"):
        order_id: str

    class Shipped(Placed):
        pass

    assert (Placed.event_name, Shipped.event_name) == ("order.placed", "Shipped")


def test_a_contract_is_a_client_as_a_service_is() -> None:
    orders = Orders("http://127.0.0.1:1/shop")
    assert repr(orders.place) == "<BoundCommand http://127.0.0.1:1/shop/rpc/place>"
    assert repr(orders.tail) == "<BoundStream http://127.0.0.1:1/shop/rpc/tail>"
    assert isinstance(orders.process.get("o-1"), ExecutionHandle)
    assert orders.place is orders.place
    assert inspect.getdoc(Orders) == "Orders."


class Gone(DocumentedError, status=410):
    body: Order


class Sparse(SparseModel):
    id: int
    note: str | None = None
    tags: list[str] = Field(default_factory=list)


class Plain(RestService):
    @command(method="GET", path="/a/{b-c}/d/{e}", errors=[Gone])
    async def get(
        self,
        b_c: Annotated[str, Path("b-c")],
        e: list[int],
        q: Annotated[list[str] | None, Query(style="pipeDelimited", explode=False)] = None,
        o: Annotated[dict[str, int] | None, Query(style="deepObject")] = None,
        m: dict[str, int] | None = None,
        x_id: Annotated[int | None, Header()] = None,
        c: Annotated[str | None, Cookie("C")] = None,
        flag: bool | None = None,
    ) -> str | None:
        raise NotImplementedError

    @command(method="GET", path="/tag")
    async def tag(self, x_tag: Annotated[str, Header()]) -> None:
        raise NotImplementedError

    @command(method="PATCH", path="/sparse")
    async def change(self, whole: Annotated[Sparse, Body()], dry: Annotated[bool, Query()] = False) -> bytes:
        raise NotImplementedError


def test_a_rest_request_has_each_parameter_in_its_place_and_style() -> None:
    got = RestCommand(Plain.get).encode_request(
        ("x/y z", [1, 2]), {"q": ["a", "b"], "o": {"k": 1}, "m": {"n": 2}, "x_id": 3, "c": "s", "flag": True}
    )
    assert (got.method, got.target) == (
        "GET", "/a/x%2Fy%20z/d/1%2C2?q=a%7Cb&o%5Bk%5D=1&n=2&flag=true",
    )  # fmt: skip
    assert (got.headers, got.body) == ({"x-id": "3", "cookie": "C=s"}, b"")
    bare = RestCommand(Plain.get).encode_request(("x", [7]), {"flag": None})
    assert (bare.target, bare.headers) == ("/a/x/d/7", {})


@pytest.mark.parametrize(
    ("b_c", "e", "told"),
    [("..", [1], r"'b_c', not '\.\.'"), (".", [1], r"not '\.'"), ("x", [], "'e', not ''")],
)
def test_an_argument_of_a_path_cannot_lead_to_another_route(b_c: str, e: list[int], told: str) -> None:
    with pytest.raises(TypeError, match=rf"get\(\) takes a name or number as .*{told}"):
        RestCommand(Plain.get).encode_request((b_c, e), {})


def test_a_cookie_carries_one_value_whatever_is_in_it() -> None:
    sent = RestCommand(Plain.get).encode_request(("x", [1]), {"c": "x; admin=1, 50% =="})
    assert sent.headers == {"cookie": "C=x%3B%20admin=1%2C%2050%25%20=="}


def test_a_header_cannot_begin_another() -> None:
    with pytest.raises(TypeError, match=r"tag\(\): argument 'x_tag' does not fit into a header"):
        RestCommand(Plain.tag).encode_request(("a\r\nx-admin: 1",), {})
    assert RestCommand(Plain.tag).encode_request(("",), {}).headers == {"x-tag": ""}


def test_a_sparse_model_sends_what_it_was_given() -> None:
    change = RestCommand(Plain.change)
    sent = change.encode_request((Sparse(id=1),), {})
    assert (sent.target, json.loads(sent.body)) == ("/sparse", {"id": 1, "tags": []})
    assert json.loads(change.encode_request((Sparse(id=1, note=None),), {}).body)["note"] is None
    assert sent.headers == {"content-type": "application/json"}


def test_answers_of_any_kind_are_read() -> None:
    get, change = RestCommand(Plain.get), RestCommand(Plain.change)
    assert get.decode_answer("text/plain", b"hi") == "hi"
    assert get.decode_answer("application/hal+json", b'"hi"') == "hi"
    assert get.decode_answer("", b"") is None
    assert change.decode_answer("image/png", b"\x89") == b"\x89"
    assert get.errors_by_status == {410: Gone}


@pytest.mark.parametrize("name", ["WorkflowFailed", "WorkflowCancelled", "WorkflowTerminated", "RemoteError"])
def test_what_ended_an_execution_is_caught_by_one_name_at_home_and_elsewhere(name: str) -> None:
    assert getattr(client_kit, name) is getattr(contracts, name)
    told = ("ship", "shop:Bug", "broken", None, "the traceback")
    with pytest.raises(getattr(client_kit, name)) as caught:
        raise getattr(service_kit, name)(*told)
    assert str(caught.value) == str(getattr(client_kit, name)(*told))
    assert caught.value.__notes__ == ["the traceback"]


@pytest.mark.parametrize("name", ["ExecutionNotFound", "ExecutionExists", "TimedOut"])
def test_what_kept_from_an_execution_is_caught_by_one_name_at_home_and_elsewhere(name: str) -> None:
    at_home, elsewhere = getattr(service_kit, name), getattr(client_kit, name)
    given = {} if name == "TimedOut" else {"id": "o-1"}
    with pytest.raises(elsewhere) as caught:
        raise at_home(**given)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.args, getattr(again, "status", None)) == (
        at_home,
        caught.value.args,
        getattr(elsewhere, "status", None),
    )
