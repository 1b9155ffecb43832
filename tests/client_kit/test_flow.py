"""The flow without I/O: what it asks its driver for, on a clock and with chances of the test's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any

import pytest

from client_kit import (
    CallError,
    CallTimeout,
    ClientOptions,
    ConnectFailed,
    ConnectionLost,
    ContractDrift,
    InvalidOption,
    ProblemError,
    Request,
    Response,
    Retry,
)
from client_kit.auth import NoAuth
from client_kit.contracts import CommandContract
from client_kit.deadline import Deadline, OutOfTime
from client_kit.effects import Close, Send, Sleep
from client_kit.flow import Endpoint, Policy, call, open_stream
from client_kit.options import World
from service_kit import Command, ServiceError
from tests.client_kit.shop import Answer, Busy, OutOfStock, forget, place, problem, show, tail

WALL = 1_700_000_000.0
DRAW = 0.5
LOST = ConnectionLost("the connection was lost: reset")
REFUSED = ConnectFailed("cannot connect: refused")


@dataclass
class Ran:
    """What a flow did against scripted answers."""

    requests: list[Request] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    result: Any = None
    error: BaseException | None = None


@dataclass
class Runner:
    """Drives flows: every attempt takes `attempt_s`, sleeping takes what it says, nothing else takes time."""

    now: float = 0.0
    attempt_s: float = 0.0
    retry: Retry = field(default_factory=Retry)
    options: ClientOptions = field(default_factory=ClientOptions)
    timeout_s: float = math.inf
    oversleep: float = 1.0

    def run(self, contract: CommandContract, *answers: Answer | Exception, keyed: bool = False) -> Ran:
        world = World(monotonic=lambda: self.now, wall=lambda: WALL + self.now, random=lambda: DRAW)
        policy = Policy(NoAuth(), self.retry, replace(self.options, world=world))
        endpoint = Endpoint(
            contract, "http://shop.test", "http://shop.test/rpc/x", {"accept": "x"}, keyed, policy
        )
        deadline = Deadline(self.timeout_s, world.monotonic)
        ran, script = Ran(), list(answers)
        flow = call(endpoint, b"{}", deadline)
        try:
            effect = next(flow)
            while True:
                match effect:
                    case Send(request):
                        ran.requests.append(request)
                        self.now += self.attempt_s
                        answer = script.pop(0) if len(script) > 1 else script[0]
                        effect = (
                            flow.send(_response(answer)) if isinstance(answer, Answer) else flow.throw(answer)
                        )
                    case Sleep(seconds):
                        ran.sleeps.append(seconds)
                        self.now += seconds * self.oversleep
                        effect = flow.throw(OutOfTime()) if self.now > self.timeout_s else flow.send(None)
                    case _:
                        raise AssertionError(effect)
        except StopIteration as done:
            ran.result = done.value
        except (CallError, ServiceError) as error:
            ran.error = error
        return ran


def _response(answer: Answer) -> Response:
    return Response(answer.status, {"content-type": answer.media_type, **answer.headers}, answer.body)


UNAVAILABLE = problem(503, "urn:problem-type:service-kit:unavailable")
CONFLICT = problem(409, "urn:problem-type:service-kit:idempotency-conflict")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize(("contract", "keyed"), [(show, False), (place, True)])
def test_what_is_safe_is_tried_again_on_statuses_that_pass(
    status: int, contract: Command[..., Any], keyed: bool
) -> None:
    ran = Runner().run(contract, problem(status), problem(status), Answer(), keyed=keyed)
    assert ran.result.id == "o-1"
    assert len(ran.requests) == 3


@pytest.mark.parametrize("failure", [UNAVAILABLE, problem(429), problem(504), LOST])
def test_a_call_that_may_have_been_executed_is_not_repeated_without_a_key(
    failure: Answer | Exception,
) -> None:
    ran = Runner().run(place, failure, Answer())
    assert isinstance(ran.error, ProblemError | ConnectionLost)
    assert len(ran.requests) == 1


def test_a_request_that_never_left_is_sent_again_whatever_it_is() -> None:
    ran = Runner().run(place, REFUSED, Answer())
    assert ran.result.id == "o-1"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 500, 501])
def test_other_failures_are_not_repeated(status: int) -> None:
    ran = Runner().run(show, problem(status), Answer())
    assert isinstance(ran.error, ProblemError)
    assert len(ran.requests) == 1


def test_a_declared_error_is_an_answer_and_not_repeated_whatever_its_status() -> None:
    ran = Runner().run(place, problem(503, "urn:problem-type:shop:Busy"), Answer(), keyed=True)
    assert isinstance(ran.error, Busy)
    assert len(ran.requests) == 1


def test_a_key_in_flight_is_asked_for_again() -> None:
    assert Runner().run(place, CONFLICT, Answer(), keyed=True).result.id == "o-1"
    assert isinstance(Runner().run(show, CONFLICT, Answer()).error, ProblemError)


def test_a_kept_answer_is_not_asked_for_again() -> None:
    kept = problem(503, headers={"idempotent-replayed": "true"})
    assert len(Runner().run(place, kept, Answer(), keyed=True).requests) == 1


def test_waits_double_with_full_jitter_up_to_the_ceiling() -> None:
    retry = Retry(max_attempts=6, backoff_s=1, backoff_max_s=5)
    ran = Runner(retry=retry).run(show, UNAVAILABLE)
    assert ran.sleeps == [0.5, 1.0, 2.0, 2.5, 2.5]
    assert isinstance(ran.error, ProblemError)


@pytest.mark.parametrize("value", ["7", " 7 ", formatdate(WALL + 7, usegmt=True)])
def test_retry_after_is_honoured_as_seconds_and_as_a_date(value: str) -> None:
    ran = Runner(retry=Retry(backoff_s=1)).run(show, problem(429, headers={"retry-after": value}), Answer())
    assert ran.sleeps == [7.5]


@pytest.mark.parametrize("value", ["soon", "-1", "1e3", formatdate(WALL - 60, usegmt=True), "٣"])
def test_a_retry_after_that_says_nothing_leaves_the_usual_wait(value: str) -> None:
    ran = Runner(retry=Retry(backoff_s=1)).run(show, problem(429, headers={"retry-after": value}), Answer())
    assert ran.sleeps == [0.5]


def test_a_retry_after_longer_than_anybody_waits_ends_the_call() -> None:
    ran = Runner().run(show, problem(503, headers={"retry-after": "3600"}), Answer())
    assert isinstance(ran.error, ProblemError)
    assert ran.sleeps == []


def test_the_deadline_is_for_all_attempts_and_waits_and_travels_as_what_is_left() -> None:
    runner = Runner(timeout_s=4.0, attempt_s=1.0, retry=Retry(max_attempts=9, backoff_s=1, backoff_max_s=1))
    ran = runner.run(show, UNAVAILABLE)
    assert [r.headers["request-timeout-ms"] for r in ran.requests] == ["4000", "2500", "1000"]
    assert isinstance(ran.error, ProblemError)  # says more than that the time is over
    assert runner.now == 4.0


def test_a_wait_that_would_end_after_the_deadline_is_not_begun() -> None:
    ran = Runner(timeout_s=5).run(show, problem(503, headers={"retry-after": "6"}), Answer())
    assert (ran.sleeps, len(ran.requests)) == ([], 1)
    assert isinstance(ran.error, ProblemError)


def test_an_attempt_cut_by_the_deadline_is_a_call_timeout() -> None:
    ran = Runner(timeout_s=1, attempt_s=2).run(show, OutOfTime())
    assert isinstance(ran.error, CallTimeout)
    assert "command 'show': no answer within 1 s" in str(ran.error)


def test_a_wait_that_takes_longer_than_it_should_and_ends_too_late_is_a_call_timeout() -> None:
    ran = Runner(timeout_s=5, oversleep=9.0, retry=Retry(backoff_s=2)).run(show, UNAVAILABLE)
    assert isinstance(ran.error, CallTimeout)


def test_without_a_limit_no_deadline_travels() -> None:
    assert "request-timeout-ms" not in Runner().run(show, Answer()).requests[0].headers


def test_request_hooks_run_for_every_attempt_and_response_hooks_see_every_answer() -> None:
    statuses: list[int] = []
    options = ClientOptions(
        on_request=[lambda request: request.with_headers({"x-trace": str(len(statuses))})],
        on_response=[lambda request, response: statuses.append(response.status)],
    )
    ran = Runner(options=options).run(show, UNAVAILABLE, Answer())
    assert [r.headers["x-trace"] for r in ran.requests] == ["0", "1"]
    assert statuses == [503, 200]


def test_a_stream_is_closed_if_a_response_hook_fails() -> None:
    class Body:
        async def read(self) -> bytes:
            raise NotImplementedError

        async def close(self) -> None:
            raise NotImplementedError

    def refuse(request: Request, response: Response) -> None:
        raise LookupError("no")

    body = Body()
    policy = Policy(NoAuth(), Retry(), ClientOptions(on_response=[refuse]))
    endless = Deadline(math.inf, lambda: 0.0)
    flow = open_stream(
        Endpoint(tail, "http://x", "http://x/rpc/tail", {}, False, policy), b"{}", endless, endless
    )
    next(flow)
    assert flow.send(Response(200, {}, stream=body)) == Close(body)
    with pytest.raises(LookupError):
        flow.send(None)


def test_no_content_is_the_result_of_a_command_that_returns_nothing() -> None:
    assert Runner().run(forget, Answer(b"", 204)).error is None
    assert isinstance(Runner().run(place, Answer(b"", 204)).error, ContractDrift)


def test_a_declared_error_keeps_the_fields_that_this_contract_knows() -> None:
    ran = Runner().run(
        place, problem(409, "urn:problem-type:shop:OutOfStock", sku="s", left=2, since="later version")
    )
    assert isinstance(ran.error, OutOfStock)
    assert ran.error.fields() == {"sku": "s", "left": 2}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Retry(max_attempts=0),
        lambda: Retry(backoff_s=-1),
        lambda: Retry(backoff_max_s=math.inf),
        lambda: Retry(retry_after_max_s=math.nan),
    ],
)
def test_a_retry_policy_that_makes_no_sense_is_refused(make: Callable[[], Retry]) -> None:
    with pytest.raises(InvalidOption):
        make()
