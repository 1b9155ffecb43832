"""The management API and the handles of clients, over the real HTTP face of a host on a file.

One service and one way of running it serve all of these tests, so they stand together, though long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self
from unittest.mock import AsyncMock

import httpx
import pytest

from client_kit import (
    Discarded,
    ExecutionHandle,
    InProcessTransport,
    ProblemError,
    WorkflowCancelled,
    WorkflowFailed,
    WorkflowTerminated,
    connect,
    manage,
)
from client_kit.system import ServiceAccess
from service_kit import (
    Event,
    ExecutionExists,
    ExecutionNotFound,
    LocalHost,
    Retry,
    Service,
    ServiceError,
    Signal,
    State,
    complete_later,
    subscription,
    task,
    task_token,
    workflow,
)


class Refused(ServiceError, status=409):
    why: str


class Stamped(Event):
    number: int


approved = Signal("approved", bool)
note = Signal("note", str | None)
progress = State("progress", int)
broken = True
stamps: list[int] = []


@workflow
async def approve(number: int, *, text: str = "yes") -> str:
    progress.set(number)
    if not await approved.receive():
        raise Refused(why=text)
    return f"{text} {number}"


@workflow
async def take_note() -> str:
    return repr(await note.receive())


@workflow
async def tally() -> None:
    while await note.receive() is not None:
        pass
    await tally.continue_as_new()


@workflow
async def private() -> None: ...


@subscription(Stamped)
async def stamp(event: Stamped) -> None:
    if broken:
        raise ValueError("no ink")
    stamps.append(event.number)


stamp.definition["retry"] = Retry(max_attempts=1)


tokens: list[str] = []


@task
async def ask_elsewhere(question: str) -> int:
    tokens.append(task_token())
    return complete_later()


@workflow
async def consult(question: str) -> int:
    return await ask_elsewhere(question)


class Office(Service):
    """Approve things."""

    approve = approve
    take_note = take_note
    tally = tally
    consult = consult
    approved = approved
    note = note
    progress = progress


class Running:
    """A client of a host that runs for the length of a block."""

    def __init__(self, path: Path) -> None:
        self.host = LocalHost(Office, path / "office.db")

    async def __aenter__(self) -> Self:
        await self.host.__aenter__()
        self._connecting = connect(
            Office, "http://office.test", transport=InProcessTransport(self.host.asgi())
        )
        self.client = await self._connecting.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._connecting.__aexit__(*error)
        await self.host.__aexit__(*error)


def run(path: Path, test: Callable[[Running], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30), Running(path) as running:
            await test(running)

    asyncio.run(main())


def test_a_workflow_is_started_followed_and_answered(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        office = running.client
        execution = await office.approve.options(attributes={"desk": "7"}).start(3, text="fine")
        assert await execution.status() == "running"
        with pytest.raises(TimeoutError, match="still runs after 0 s"):
            await execution.result(timeout_s=0)
        await execution.signal(Office.approved, True)
        assert await execution.result() == "fine 3"
        assert await execution.state(Office.progress) == 3
        info = await execution.describe()
        assert (info.workflow, info.status, info.attributes) == ("approve", "succeeded", {"desk": "7"})
        assert info.ended_at_s is not None
        kinds = [event["kind"] for event in await execution.history()]
        assert kinds[0] == "TurnStarted"
        assert kinds[-1] == "ExecutionSucceeded"

    run(tmp_path, test)


def test_a_declared_error_of_a_workflow_comes_back_as_its_own_class(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        execution = await running.client.approve.start(1, text="no money")
        await execution.signal(Office.approved, False)
        with pytest.raises(Refused) as caught:
            await execution.result()
        assert caught.value.why == "no money"

    run(tmp_path, test)


def test_one_id_is_one_execution(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        named = running.client.approve.options(id="a-1")
        first, again = await named.start(1), await named.start(1)
        assert (first.id, again.id) == ("a-1", "a-1")
        with pytest.raises(ExecutionExists, match="'a-1' exists already"):
            await named.start(2)
        with pytest.raises(ExecutionNotFound, match="there is no execution 'a-2'"):
            await running.client.approve.get("a-2").result()
        with pytest.raises(ExecutionNotFound):
            await running.client.approve.get("a-2").signal(Office.approved, True)

    run(tmp_path, test)


def test_an_id_of_another_workflow_is_not_found_and_nothing_reaches_it(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        office = running.client
        await office.approve.options(id="a-1").start(1)
        for wrong in (office.take_note.get("a-1"), take_note.get("a-1")):
            for ask in (
                wrong.result,
                wrong.status,
                wrong.history,
                partial(wrong.state, Office.progress),
                partial(wrong.signal, Office.note, "for nobody"),
                partial(wrong.signal, Office.approved, False),
                wrong.cancel,
                wrong.terminate,
            ):
                with pytest.raises(
                    ExecutionNotFound, match=r"of workflow 'approve'.*approve\.get\('a-1'\)"
                ) as caught:
                    await ask()
                assert caught.value.belongs_to == "approve"
        right = office.approve.get("a-1")
        await right.signal(Office.approved, True)
        assert await right.result() == "yes 1"

    run(tmp_path, test)


def test_executions_are_cancelled_and_terminated(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        for end, error in (("cancel", WorkflowCancelled), ("terminate", WorkflowTerminated)):
            execution = await running.client.approve.start(1)
            await getattr(execution, end)("not needed")
            with pytest.raises(error, match="not needed"):
                await execution.result()

    run(tmp_path, test)


def test_whoever_ends_an_execution_is_told_whether_it_still_ran(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        transport = httpx.ASGITransport(running.host.asgi(), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as http:
            for end in ("cancel", "terminate"):
                execution = await running.client.approve.start(1)
                manager = manage(running.client)
                assert (await manager.pause(execution.id), await manager.resume(execution.id)) == (True, True)
                answers = [await http.post(f"/_system/executions/{execution.id}/{end}", json={})]
                assert await running.host.runtime.gateway.outcome(execution.id, None) is not None
                answers.append(await http.post(f"/_system/executions/{execution.id}/{end}", json={}))
                assert (await manager.pause(execution.id), await manager.resume(execution.id)) == (
                    False,
                    False,
                )
                assert not (await execution.describe()).paused
                assert [(answer.status_code, answer.json()) for answer in answers] == [
                    (200, True),
                    (200, False),
                ]

    run(tmp_path, test)


def test_a_signal_may_be_null_and_one_id_is_delivered_once(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        execution = await running.client.take_note.start()
        await execution.signal(Office.note, None, id="n-1")
        assert await execution.result() == "None"
        other = await running.client.approve.start(1)
        for _ in range(3):
            await other.signal(Office.approved, True, id="s-1")
        await other.result()
        signals = [event for event in await other.history() if event["kind"] == "SignalReceived"]
        assert len(signals) == 1

    run(tmp_path, test)


def test_executions_are_listed_by_page_and_filter(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        approve_ = running.client.approve
        for number in range(5):
            await approve_.options(id=f"e-{number}", attributes={"odd": str(number % 2)}).start(number)
        operator = manage(running.client)
        first = await operator.list_executions(limit=3)
        rest = await operator.list_executions(limit=3, after=first.after)
        assert [e.id for e in [*first.executions, *rest.executions]] == ["e-4", "e-3", "e-2", "e-1", "e-0"]
        assert rest.after is None
        odd = await operator.list_executions(attributes={"odd": "1"}, workflow="approve", status="running")
        assert [e.id for e in odd.executions] == ["e-3", "e-1"]
        assert [e.id async for e in operator.executions(status="succeeded")] == []
        assert len([e.id async for e in operator.executions(attributes={"odd": "0"})]) == 3

    run(tmp_path, test)


def test_an_operator_steers_executions_by_the_names_that_a_list_shows(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        operator = manage(running.client)
        approve_ = operator.workflow("approve").options(attributes={"desk": "7"})
        for number in range(3):
            await approve_.start(number=number, text="fine")
        found = [one async for one in operator.executions(attributes={"desk": "7"})]
        newest, middle, oldest = (operator.workflow(one.workflow).get(one.id) for one in found)
        await newest.signal(Office.approved, True)
        assert await newest.result() == "fine 2"
        await middle.cancel("no longer needed")
        await oldest.terminate("by hand")
        with pytest.raises(WorkflowTerminated, match="by hand"):
            await oldest.result()
        with pytest.raises(WorkflowFailed, match="no longer needed"):
            await middle.result()
        with pytest.raises(
            TypeError, match="'approve' is known by its name alone; give its arguments by name"
        ):
            await approve_.start(3)

    run(tmp_path, test)


def test_a_paused_execution_keeps_what_arrives_until_it_may_go_on(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        operator = manage(running.client)
        execution = await running.client.approve.start(1)
        await operator.pause(execution.id, "inventory")
        (listed,) = (await operator.list_executions()).executions
        for info in (await execution.describe(), listed):
            assert (info.paused, info.paused_reason) == (True, "inventory")
        await execution.signal(Office.approved, True)
        with pytest.raises(TimeoutError, match="is paused: inventory; resume it: 'service-kit"):
            await execution.result(timeout_s=0.05)
        await operator.resume(execution.id)
        info = await execution.describe()
        assert (info.paused, info.paused_reason) == (False, None)
        assert await execution.result() == "yes 1"
        with pytest.raises(ExecutionNotFound):
            await operator.pause("nobody")

    run(tmp_path, test)


def test_a_history_comes_in_pages_that_together_are_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client_kit.system.TURNS_MOST", 2)

    async def test(running: Running) -> None:
        operator, execution = manage(running.client), await running.client.tally.options(id="t").start()
        for number in range(4):
            await execution.signal(Office.note, str(number))
            while sum(e["kind"] == "SignalReceived" for e in await execution.history()) <= number:
                await asyncio.sleep(0.005)
        found, after = list[Mapping[str, Any]](), None
        for _ in range(3):
            page = await operator.history_page("t", limit=2, after=after)
            assert sum(event["kind"] == "TurnStarted" for event in page.events) <= 2
            found, after = [*found, *page.events], page.after
        assert (after, found) == (None, await execution.history())
        assert [e["payload"] for e in found if e["kind"] == "SignalReceived"] == ['"0"', '"1"', '"2"', '"3"']

        cursors = list[str | None]()

        async def page_then_continue_as_new(
            self: ServiceAccess, id: str, limit: int, after: str | None, workflow: str | None = None
        ) -> tuple[Sequence[Mapping[str, Any]], str | None]:
            found = await read_page(self, id, limit, after, workflow)
            if not cursors:
                await execution.signal(Office.note, None)
                while (await execution.describe()).run == 0:
                    await asyncio.sleep(0.005)
            cursors.append(found[1])
            return found

        read_page = ServiceAccess.history_page
        with monkeypatch.context() as patch:
            patch.setattr(ServiceAccess, "history_page", page_then_continue_as_new)
            begun_again = await execution.history()
        assert cursors == ["0/2", None]
        assert '"0"' not in [e["payload"] for e in begun_again if e["kind"] == "SignalReceived"]
        with pytest.raises(ProblemError) as caught:
            await operator.history_page("t", after="0/2")
        assert (caught.value.status, caught.value.members["id"]) == (409, "t")
        over = AsyncMock(side_effect=caught.value)
        monkeypatch.setattr(ServiceAccess, "history_page", over)
        with pytest.raises(ProblemError):
            await execution.history()
        assert over.await_count == 10

    run(tmp_path, test)


def test_dead_letters_tell_why_and_are_delivered_again(tmp_path: Path) -> None:
    global broken
    broken = True
    stamps.clear()

    async def test(running: Running) -> None:
        global broken
        operator = manage(running.client)
        await operator.emit(Stamped(number=7))
        while not (letters := await operator.dead_letters(subscription="stamp")):
            await asyncio.sleep(0.005)
        (letter,) = letters
        assert (letter.event, letter.payload, letter.attempts) == ("Stamped", {"number": 7}, 1)
        assert (letter.error, letter.message) == ("builtins:ValueError", "no ink")
        assert "test_management.py" in letter.traceback
        broken = False
        assert await operator.redrive("stamp", letter.event_id) == 1
        while not stamps:
            await asyncio.sleep(0.005)
        assert stamps == [7]
        assert await operator.dead_letters() == []

    run(tmp_path, test)


def test_dead_letters_are_told_page_by_page_and_alone_and_discarded(tmp_path: Path) -> None:
    global broken
    broken = True
    stamps.clear()

    async def test(running: Running) -> None:
        global broken
        operator = manage(running.client)
        for number in range(5):
            await operator.emit(Stamped(number=number))
            while len(await operator.dead_letters()) <= number:
                await asyncio.sleep(0.005)
        letters = await operator.dead_letters()
        assert [letter.payload["number"] for letter in letters] == [0, 1, 2, 3, 4]
        assert await operator.dead_letters(limit=4) == letters[:4]
        first = await operator.list_dead_letters(subscription="stamp", limit=3)
        rest = await operator.list_dead_letters(limit=3, after=first.after)
        assert ([*first.letters, *rest.letters], rest.after) == (letters, None)
        assert await operator.dead_letter("stamp", letters[2].event_id) == letters[2]
        url = f"/_system/dead-letters/stamp/{letters[2].event_id}"
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(running.host.asgi()), base_url="http://t"
        ) as http:
            assert (await http.get(url)).json()["traceback"] == letters[2].traceback

        ids = [letter.event_id for letter in letters]
        assert await operator.discard("stamp", *ids[:2], "typo") == Discarded(2, ["typo"])
        assert await operator.discard("stamp", *ids[:3]) == Discarded(1, [])
        broken = False
        assert await operator.redrive("stamp") == 2
        while len(stamps) < 2:
            await asyncio.sleep(0.005)
        assert sorted(stamps) == [3, 4]
        assert await operator.dead_letters() == []

    run(tmp_path, test)


def test_only_public_workflows_start_and_only_with_input_that_fits(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        transport = httpx.ASGITransport(running.host.asgi(), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as http:
            hidden = await http.post("/_system/executions", json={"workflow": "private"})
            assert (hidden.status_code, hidden.json()["type"]) == (
                404,
                "urn:problem-type:office:UnknownWorkflow",
            )
            wrong = await http.post(
                "/_system/executions", json={"workflow": "approve", "input": {"number": "x"}}
            )
            assert (wrong.status_code, wrong.json()["errors"][0]["loc"]) == (422, ["number"])
            good = await http.post(
                "/_system/executions", json={"workflow": "approve", "input": {"number": 1}, "id": "by-hand"}
            )
            assert good.json() == "by-hand"
            assert (await http.get("/_system/executions/by-hand")).json()["status"] == "running"
            assert (await http.get("/_system/executions/by-hand/outcome?wait_s=0")).json() is None

    run(tmp_path, test)


def test_a_task_is_completed_or_failed_by_whoever_has_its_token(tmp_path: Path) -> None:
    tokens.clear()

    async def token_of(execution: ExecutionHandle[int], count: int) -> str:
        while len(tokens) < count:
            await asyncio.sleep(0.005)
        return tokens[-1]

    async def test(running: Running) -> None:
        operator = manage(running.client)
        first = await running.client.consult.start("how many?")
        token = await token_of(first, 1)
        for wrong in (token[:-4] + "AAAA", "nonsense"):
            with pytest.raises(ProblemError, match="no task token of this service"):
                await operator.complete_task(wrong, 7)
        with pytest.raises(ProblemError, match="the result does not fit"):
            await operator.complete_task(token, "many")
        assert await operator.heartbeat_task(token)
        assert await operator.complete_task(token, 7)
        assert await first.result() == 7
        assert not await operator.complete_task(token, 8), "nobody waits any more"

        second = await running.client.consult.start("why?")
        assert await operator.fail_task(await token_of(second, 2), "nobody knows")
        with pytest.raises(WorkflowFailed, match="nobody knows"):
            await second.result()

    run(tmp_path, test)
