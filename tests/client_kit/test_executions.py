"""Waiting for executions of a service that goes away meanwhile, and of one that was never there."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from typing import Any

import pytest

from client_kit import ConnectFailed, NetworkError, ProblemError, Request, Response, Retry, system
from client_kit.auth import NoAuth
from client_kit.contracts.workflows import NamedWorkflow
from client_kit.errors import CallTimeout, ConnectionLost
from client_kit.executions import ExecutionHandle
from client_kit.flow import Policy
from client_kit.line import Session
from client_kit.options import ClientOptions
from client_kit.system import ServiceAccess

JSON = {"content-type": "application/json"}
RUNNING = Response(200, JSON, b"null")
ENDED = Response(200, JSON, b'"ended"')


class Script:
    """Answers in the order of a script, with its last line ever after."""

    def __init__(self, script: Iterable[Response | NetworkError]) -> None:
        self._script = list(script)

    async def send(self, request: Request) -> Response:
        answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(answer, NetworkError):
            raise type(answer)(answer.reason)
        return answer

    def send_sync(self, request: Request) -> Response:
        return asyncio.run(self.send(request))

    async def close(self) -> None: ...

    def close_sync(self) -> None: ...


def access(*script: Response | NetworkError) -> ServiceAccess:
    policy = Policy(NoAuth(), Retry(max_attempts=2, backoff_s=0), ClientOptions())
    return ServiceAccess(Session("http://shop.test", Script(script), policy, 30.0), {})


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "LOST_S", 0.001)


def away(status: int) -> Response:
    return Response(status, {"content-type": "text/html"}, b"<html>the load balancer</html>")


@pytest.mark.parametrize(
    "failure", [ConnectFailed("refused"), ConnectionLost("reset"), away(502), away(503), away(504)]
)
def test_a_result_is_waited_for_through_a_deployment_with_one_warning(
    failure: Response | NetworkError, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = access(RUNNING, *[failure] * 9, RUNNING, *[failure] * 5, ENDED)
    with caplog.at_level(logging.WARNING, "client_kit"):
        assert asyncio.run(waiting.outcome("o-1", None)) == "ended"
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert all(text.startswith("waiting for the service of execution 'o-1' to come back: ") for text in told)


def test_a_service_that_has_answered_the_start_is_waited_for() -> None:
    async def use() -> str | None:
        found = access(
            Response(200, JSON, json.dumps("o-1").encode()), *[ConnectFailed("refused")] * 5, ENDED
        )
        id = await found.call("start", {"workflow": "order", "input": None})
        return await found.outcome(id, None)

    assert asyncio.run(use()) == "ended"


def test_a_service_that_never_answered_is_not_waited_for() -> None:
    with pytest.raises(ConnectFailed, match=r"check the URL, and that the service runs"):
        asyncio.run(access(ConnectFailed("no such host")).outcome("o-1", None))
    with pytest.raises(ProblemError, match="503"):
        asyncio.run(access(away(503)).outcome("o-1", None))


def test_other_failures_end_the_wait() -> None:
    with pytest.raises(ProblemError, match="403"):
        asyncio.run(access(RUNNING, Response(403, {}), ENDED).outcome("o-1", None))


def test_who_waits_for_a_time_hears_of_the_failure_at_its_end() -> None:
    with pytest.raises(NetworkError):
        asyncio.run(access(RUNNING, CallTimeout("no answer")).outcome("o-1", 0.05))


def test_a_signal_or_a_state_by_its_name_alone_is_told_what_to_give() -> None:
    handle: Any = ExecutionHandle(access(RUNNING), NamedWorkflow("wait"), "o-1")
    with pytest.raises(TypeError, match=r"^signal 'approved': .*; give the Signal that is declared"):
        asyncio.run(handle.signal("approved", True))
    with pytest.raises(TypeError, match=r"^state 'stage': .*; give the State that is declared"):
        asyncio.run(handle.state("stage"))


def test_a_wait_that_was_too_short_says_so_even_if_nothing_more_can_be_asked() -> None:
    handle: ExecutionHandle[Any] = ExecutionHandle(
        access(RUNNING, ConnectFailed("refused")), NamedWorkflow("wait"), "o-1"
    )
    with pytest.raises(TimeoutError, match=r"^execution 'o-1' of 'wait' still runs after 0 s$"):
        asyncio.run(handle.result(timeout_s=0))
