"""Workflows as tools: start an execution, ask how it is, send it a signal.

A dash cannot be in a command's name, so `process_order-start` clashes with none. Calls take those routes of the
management API that are for callers, and so have its checks.
"""

from __future__ import annotations

import inspect
import json
from abc import ABC, abstractmethod
from typing import Any

import mcp_types as types
from pydantic import ValidationError
from pydantic_core import from_json

from client_kit.ids import new_id
from service_kit.contract.options import ID_MOST
from service_kit.contract.workflow import Workflow
from service_kit.errors import ExecutionNotFound, ServiceError, WorkflowCancelled, WorkflowTerminated
from service_kit.http.management import PREFIX, WAIT_MOST_S, describe
from service_kit.http.mcp.calls import Caller, Calls, Failed, Progress
from service_kit.http.mcp.results import failed, structured
from service_kit.http.mcp.schemas import ToolSchemas
from service_kit.http.mcp.tools import Arguments, Tool
from service_kit.http.problems import InvalidInput, error_list, respond
from service_kit.openapi.schemas import Json

_ID: Json = {"type": "string", "description": "The id of the execution."}


def workflow_tools(calls: Calls, schemas: ToolSchemas) -> list[Tool]:
    """Return the tools for the public workflows; none where the service runs without its runtime."""
    contract = calls.application.contract
    if not calls.offers(f"{PREFIX}start"):
        return []
    tools: list[Tool] = []
    for workflow in contract.workflows.values():
        tools += [StartTool(workflow, schemas, calls), StatusTool(workflow, schemas, calls)]
        if contract.signals:
            tools.append(SignalTool(workflow, schemas, calls))
    return tools


class _WorkflowTool(ABC):
    """What the three have in common: a workflow, and failures that are results."""

    streaming = False

    def __init__(self, workflow: Workflow[..., Any], schemas: ToolSchemas, calls: Calls) -> None:
        self._workflow = workflow
        self._calls = calls
        self.described: types.Tool = self._describe(schemas)

    async def call(
        self, arguments: Arguments, caller: Caller, progress: Progress | None
    ) -> types.CallToolResult:
        """Return the result; whatever goes wrong is one, too."""
        try:
            return structured(await self._perform(dict(arguments), caller))
        except Failed as failure:
            return failed(failure.response)

    @abstractmethod
    def _describe(self, schemas: ToolSchemas) -> types.Tool: ...

    @abstractmethod
    async def _perform(self, arguments: dict[str, Any], caller: Caller) -> Json: ...

    async def _ask(self, caller: Caller, operation: str, arguments: Json) -> Any:
        return await self._calls.result(caller, PREFIX + operation, arguments)

    async def _described_execution(self, caller: Caller, id: Any) -> Json:
        """Return what is known of an execution of this workflow; raise Failed for one of another."""
        info: Json = await self._ask(caller, "describe", {"id": id})
        if info["workflow"] != self._workflow.name:
            raise self._refused(caller, ExecutionNotFound(id=id, belongs_to=info["workflow"]))
        return info

    def _refused(self, caller: Caller, error: Exception) -> Failed:
        return Failed(respond(error, self._calls.application.contract.name, describe, caller.request))

    def _tool(
        self, does: str, title: str, description: str, input: Json, output: Json, *, reads: bool = False
    ) -> types.Tool:
        return types.Tool(
            name=f"{self._workflow.name}-{does}",
            title=f"{title} {self._workflow.name.replace('_', ' ')}",
            description=description,
            input_schema=input,
            output_schema=output,
            annotations=types.ToolAnnotations(read_only_hint=reads, idempotent_hint=reads),
        )


class StartTool(_WorkflowTool):
    """Start an execution; the answer does not wait for its end."""

    def _describe(self, schemas: ToolSchemas) -> types.Tool:
        name = self._workflow.name
        members: dict[str, Json] = {
            "id": {
                "type": "string",
                "minLength": 1,
                "maxLength": ID_MOST,
                "description": "Of your own choice: the same id and input start one execution, however often.",
            }
        }
        taken = schemas.input(name)
        if taken is not None:
            members = {"input": taken, **members}
        required = ["input"] if any(p.required for p in self._workflow.codec.parameters) else []
        about = inspect.getdoc(self._workflow.function) or ""
        return self._tool(
            "start",
            "Start",
            f"{about}\n\n" * bool(about)
            + f"Starts in the background and answers with the id of the execution; ask {name}-status how it goes.",
            schemas.object(members, required),
            schemas.object({"id": _ID}, ["id"]),
        )

    async def _perform(self, arguments: dict[str, Any], caller: Caller) -> Json:
        return {"id": await self._ask(caller, "start", arguments | {"workflow": self._workflow.name})}


class StatusTool(_WorkflowTool):
    """Tell how an execution goes, or what it has ended with."""

    def _describe(self, schemas: ToolSchemas) -> types.Tool:
        name, contract = self._workflow.name, self._calls.application.contract
        wait: Json = {
            "type": "number",
            "minimum": 0,
            "maximum": WAIT_MOST_S,
            "default": 0,
            "description": "Seconds to wait for its end.",
        }
        statuses = ["running", "succeeded", "failed", "cancelled", "timed_out", "terminated"]
        members: dict[str, Json] = {
            "id": _ID,
            "status": {"type": "string", "enum": statuses},
            "result": schemas.outcome(name) | {"description": "What it returned, if it succeeded."},
            "error": {
                "type": "object",
                "description": "Why it did not succeed; a declared error has its fields.",
                "properties": {"type": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["type", "detail"],
            },
        }
        members["paused"] = {
            "type": "boolean",
            "description": "Whether it stands still until an operator resumes it.",
        }
        members["paused_reason"] = {"type": "string", "description": "Why it is paused; told to operators."}
        shown = {state: schemas.state(state) for state in contract.states}
        if shown:
            members["states"] = {
                "type": "object",
                "description": "What it shows of itself.",
                "properties": shown,
            }
        return self._tool(
            "status",
            "Status of",
            f"Tell how an execution of {name} goes: whether it runs, and what it has ended with.",
            schemas.object({"id": _ID, "wait_s": wait}, ["id"]),
            schemas.object(members, ["id", "status"]),
            reads=True,
        )

    async def _perform(self, arguments: dict[str, Any], caller: Caller) -> Json:
        asked = arguments.get("id")
        outcome: str | None = await self._ask(caller, "outcome", arguments)
        info = await self._described_execution(caller, asked)
        if outcome is None and info["status"] != "running":  # it has ended between the two
            outcome = await self._ask(caller, "outcome", {"id": asked})
        told: Json = {"id": info["id"], "status": info["status"]}
        if outcome is not None:
            told |= self._ended(outcome)
        elif info["paused"]:
            reason = info["paused_reason"]
            told |= {"paused": True} | ({"paused_reason": reason} if reason is not None else {})
        states: Json = {}
        for state in self._calls.application.contract.states:
            shown: str | None = await self._ask(caller, "state", {"id": asked, "name": state})
            if shown is not None:
                states[state] = from_json(shown)
        return told | ({"states": states} if states else {})

    def _ended(self, outcome: str) -> Json:
        """Return result or error of an ending; of a failure that nobody declared, nothing of the inside."""
        try:
            value = self._workflow.decode_outcome(outcome)
        except ServiceError as error:
            return {"error": {**error.encode_fields(), **_error(error, str(error))}}
        except (WorkflowCancelled, WorkflowTerminated) as error:
            return {"error": _error(error, error.message)}
        except Exception:  # noqa: BLE001 - whatever it raised ended the execution, whose history has it
            told = {"type": "WorkflowFailed", "detail": "the workflow failed; its history knows why"}
            return {"error": told}
        return {"result": json.loads(self._workflow.calls.result.encode(value))}


class SignalTool(_WorkflowTool):
    """Send an execution one of the service's signals."""

    def _describe(self, schemas: ToolSchemas) -> types.Tool:
        contract = self._calls.application.contract
        payloads = [schemas.signal(name) for name in contract.signals]
        distinct = [p for at, p in enumerate(payloads) if p not in payloads[:at]]
        payload: Json = dict(distinct[0]) if len(distinct) == 1 else {"anyOf": distinct}
        members: dict[str, Json] = {
            "id": _ID,
            "signal": {"type": "string", "enum": list(contract.signals)},
            "payload": payload | {"description": "What it tells."},
        }
        return self._tool(
            "signal",
            "Signal",
            f"Send a signal to an execution of {self._workflow.name}: {', '.join(contract.signals)}.",
            schemas.object(members, ["id", "signal", "payload"]),
            schemas.object({"id": _ID}, ["id"]),
        )

    async def _perform(self, arguments: dict[str, Any], caller: Caller) -> Json:
        info = await self._described_execution(caller, arguments.get("id"))
        name, payload = arguments.get("signal"), arguments.get("payload")
        signals = self._calls.application.contract.signals
        if not isinstance(name, str) or name not in signals:
            known = ", ".join(signals)
            mistake = {"loc": ["signal"], "msg": f"Input should be one of {known}", "type": "enum"}
            raise self._refused(caller, InvalidInput([mistake]))
        try:
            signals[name].decode(json.dumps(payload))
        except ValidationError as error:
            raise self._refused(caller, InvalidInput(error_list(error, "payload"))) from None
        told = {"id": info["id"], "name": name, "payload": payload, "signal_id": new_id()}
        await self._ask(caller, "signal", told)
        return {"id": info["id"]}


def _error(error: Exception, detail: str) -> Json:
    return {"type": type(error).__name__, "detail": detail}
