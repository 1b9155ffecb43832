"""Temporal's `Replayer`, which needs no server, in its faster mode, without a sandbox: https://docs.temporal.io."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow  # type: ignore[import-not-found, unused-ignore]  # a peer, need not be installed
from temporalio.client import WorkflowHistory  # type: ignore[import-not-found, unused-ignore]  # as above
from temporalio.worker import (  # type: ignore[import-not-found, unused-ignore]  # as above
    Replayer,
    UnsandboxedWorkflowRunner,
)

QUEUE = {"name": "benchmark"}


@workflow.defn(name="count")  # type: ignore[misc, untyped-decorator, unused-ignore]  # untyped where not installed
class Count:
    @workflow.run  # type: ignore[misc, untyped-decorator, unused-ignore]  # untyped where not installed
    async def run(self, steps: int) -> int:
        number = 0
        for _ in range(steps):
            number = await workflow.execute_activity(
                "step", number, result_type=int, start_to_close_timeout=timedelta(seconds=10)
            )
        return number


def rehearse(steps: int) -> Callable[[], Awaitable[None]]:
    """Replay a history that has been read: the client decodes it while it downloads it."""
    history = WorkflowHistory.from_json("counted", {"events": _events(steps)})
    replayer = Replayer(workflows=[Count], workflow_runner=UnsandboxedWorkflowRunner())

    async def replay() -> None:
        await replayer.replay_workflow(history)

    return replay


def _events(steps: int) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []

    def add(kind: str, name: str, attributes: dict[str, Any]) -> str:
        number = str(len(made) + 1)
        event = {"eventId": number, "eventTime": "2026-01-01T00:00:00Z", "eventType": f"EVENT_TYPE_{kind}"}
        made.append({**event, f"{name}EventAttributes": attributes})
        return number

    def decide() -> str:
        scheduled = add("WORKFLOW_TASK_SCHEDULED", "workflowTaskScheduled", {"taskQueue": QUEUE})
        about = {"scheduledEventId": scheduled}
        begun = add("WORKFLOW_TASK_STARTED", "workflowTaskStarted", about)
        return add("WORKFLOW_TASK_COMPLETED", "workflowTaskCompleted", {**about, "startedEventId": begun})

    started = {
        "workflowType": {"name": "count"},
        "taskQueue": QUEUE,
        "input": _payloads(steps),
        "originalExecutionRunId": "run",
        "firstExecutionRunId": "run",
        "workflowTaskTimeout": "10s",
        "attempt": 1,
    }
    add("WORKFLOW_EXECUTION_STARTED", "workflowExecutionStarted", started)
    for number in range(steps):
        activity = {
            "activityId": str(number + 1),
            "activityType": {"name": "step"},
            "taskQueue": QUEUE,
            "input": _payloads(number),
            "startToCloseTimeout": "10s",
            "workflowTaskCompletedEventId": decide(),
        }
        about = {"scheduledEventId": add("ACTIVITY_TASK_SCHEDULED", "activityTaskScheduled", activity)}
        begun = add("ACTIVITY_TASK_STARTED", "activityTaskStarted", {**about, "attempt": 1})
        answer = {**about, "startedEventId": begun, "result": _payloads(number + 1)}
        add("ACTIVITY_TASK_COMPLETED", "activityTaskCompleted", answer)
    ended = {"result": _payloads(steps), "workflowTaskCompletedEventId": decide()}
    add("WORKFLOW_EXECUTION_COMPLETED", "workflowExecutionCompleted", ended)
    return made


def _payloads(value: object) -> dict[str, Any]:
    encoding = base64.b64encode(b"json/plain").decode()
    data = base64.b64encode(json.dumps(value).encode()).decode()
    return {"payloads": [{"metadata": {"encoding": encoding}, "data": data}]}
