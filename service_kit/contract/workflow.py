"""Workflows: durable asyncio code, declared as typed functions."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Never, ParamSpec, Self, TypeVar, cast, overload

from typing_extensions import Unpack

from client_kit.executions import ExecutionHandle, StartOptions
from client_kit.ids import new_id
from service_kit.contract.declaration import (
    Declaration,
    check_function,
    enclosing_names,
    where,
)
from service_kit.contract.gateway import require_gateway
from service_kit.contract.options import check_chosen, check_options
from service_kit.contract.parameters import bind_arguments
from service_kit.contract.payload import CallCodec
from service_kit.contract.workflow_options import SCHEDULING, StartChoices
from service_kit.contract.workflow_options import WorkflowOptions as WorkflowOptions
from service_kit.errors import DefinitionError, ExecutionExists, ExecutionNotFound, ServiceError

if TYPE_CHECKING:
    from client_kit import BoundWorkflow
    from service_kit.contract.schedule import Schedule
    from service_kit.contract.service import Service
    from service_kit.engine.context import WorkflowContext
    from service_kit.engine.options import ParentClose

P = ParamSpec("P")
R = TypeVar("R")


class Workflow(Declaration, Generic[P, R]):
    """A durable function. Inside another workflow, calling it runs a child execution and waits for it."""

    kind = "workflow"

    def __init__(
        self,
        function: Callable[..., Any],
        options: WorkflowOptions,
        local_names: Mapping[str, Any],
        name: str | None = None,
    ) -> None:
        at = where(self.kind, function, name or function.__name__)
        check_options(at, options, WorkflowOptions.__annotations__)
        if inspect.isasyncgenfunction(function):
            raise DefinitionError(at, "it yields", "return its result; what it shows meanwhile is a State")
        if not inspect.iscoroutinefunction(function):
            raise DefinitionError(at, "it is not async", "write 'async def': it waits for tasks and time")
        self.definition = options
        self._chosen = StartChoices()
        self._calls: CallCodec | None = None
        self._schedule: Schedule | None = None
        super().__init__(function, local_names, name)
        if SCHEDULING & options.keys():
            from service_kit.contract.schedule import schedule_of

            self._schedule = schedule_of(self.where, self.name, options)
            if self._codec is not None:
                self.schedule  # noqa: B018 - checks the parameters now, if they are known

    @property
    def calls(self) -> CallCodec:
        """Codecs of its arguments and its result as payloads."""
        if self._calls is None:
            self._calls = CallCodec(self.codec, f"{self.kind} '{self.name}'")
        return self._calls

    @property
    def schedule(self) -> Schedule | None:
        """When it begins by itself; raise DefinitionError if nobody could give it its parameters then."""
        if self._schedule is None:
            return None
        from service_kit.contract.schedule import time_parameter

        return replace(self._schedule, parameter=time_parameter(self.where, self.codec.parameters))

    def options(
        self,
        *,
        id: str | None = None,
        timeout_s: float | None = None,
        start_delay_s: float | None = None,
        parent_close: ParentClose | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> Self:
        """Return the same workflow with these options for its next starts; what is not given stays as it was.

        `id` makes a start idempotent: the same id and input give the running execution, another input is an error.
        Raises TypeError or ValueError for what cannot be: a delay that is negative, say.
        """
        check_chosen(
            self.where,
            id=id,
            timeout_s=timeout_s,
            start_delay_s=start_delay_s,
            parent_close=parent_close,
            attributes=attributes,
        )
        start = self._chosen.start
        chosen = type(self).__new__(type(self))
        chosen.__dict__.update(self.__dict__)
        chosen._chosen = StartChoices(
            StartOptions(
                id=start.id if id is None else id,
                timeout_s=start.timeout_s if timeout_s is None else timeout_s,
                start_delay_s=start.start_delay_s if start_delay_s is None else start_delay_s,
                attributes=start.attributes if attributes is None else dict(attributes),
            ),
            self._chosen.parent_close if parent_close is None else parent_close,
        )
        return chosen

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        from service_kit.engine.context import current_workflow

        context = current_workflow()
        if context is None:
            raise RuntimeError(
                f"workflow '{self.name}' was called outside of a workflow; start it: 'await {self.name}.start(...)'"
            )
        child = self._start_child(context, self._encode(args, kwargs))
        return cast(R, self.calls.result.decode(await child.result))

    async def start(self, *args: P.args, **kwargs: P.kwargs) -> ExecutionHandle[R]:
        """Start an execution and return its handle, without waiting for its result.

        It is stored before this returns. Raises ExecutionExists for an id that another input has used. Inside a
        workflow it is a child, which belongs to this parent alone: `result()` raises ExecutionExists if any other
        execution has its id, even with the same input.
        """
        from service_kit.contract.children import ChildAccess, InnerHandle
        from service_kit.engine.context import current_workflow

        payload = self._encode(args, kwargs)
        context = current_workflow()
        if context is not None:
            child = self._start_child(context, payload)
            return InnerHandle(ChildAccess(context, child), self, child.id)
        gateway = require_gateway(f"starting workflow '{self.name}'")
        start = self._chosen.start
        options = replace(
            start,
            id=start.id or new_id(),
            timeout_s=start.timeout_s or self.definition.get("timeout_s"),
        )
        return ExecutionHandle(gateway, self, await gateway.start(self.name, payload, options), started=True)

    def get(self, id: str) -> ExecutionHandle[R]:
        """Return the handle of an execution that was started before; nothing is asked yet."""
        from service_kit.contract.children import ChildAccess, InnerHandle
        from service_kit.engine.context import current_workflow

        context = current_workflow()
        if context is not None:
            return InnerHandle(ChildAccess(context, None), self, id)
        return ExecutionHandle(require_gateway(f"execution '{id}' of '{self.name}'"), self, id)

    async def continue_as_new(self, *args: P.args, **kwargs: P.kwargs) -> Never:
        """End this run of the workflow here, and begin it again with these arguments and an empty history.

        Signals that were not received yet are handed on. Nothing after it runs, `finally` blocks included.
        """
        from service_kit.engine.context import require_workflow

        context = require_workflow(f"'{self.name}.continue_as_new'")
        if context.started.workflow != self.name:
            raise RuntimeError(
                f"execution '{context.id}' of '{context.started.workflow}' cannot continue as '{self.name}'; "
                "call continue_as_new of its own workflow"
            )
        await context.continue_as_new(self._encode(args, kwargs))

    def decode_outcome(self, outcome: str) -> R:
        """Return the result, or raise the error, that the JSON of an ending describes."""
        from service_kit.contract.outcomes import result_of

        return cast(R, result_of(self, outcome))

    @property
    def errors(self) -> dict[str, type[ServiceError]]:
        """What asking for its executions may raise."""
        return {"ExecutionNotFound": ExecutionNotFound, "ExecutionExists": ExecutionExists}

    @property
    def line(self) -> str:
        """Where its code is, for messages."""
        code = self.function.__code__
        return f"{code.co_filename}:{code.co_firstlineno} in {code.co_qualname}"

    async def run(self, input: str) -> str:
        """Run the function from payload to payload; for the runtime."""
        result = await self.function(**self.calls.decode_arguments(input))
        return self.calls.result.encode(result)

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> BoundWorkflow[P, R]: ...
    def __get__(self, instance: Service | None, owner: type[Any]) -> Self | BoundWorkflow[P, R]:
        if instance is None:
            return self
        return cast("BoundWorkflow[P, R]", instance._bind_workflow(self))

    def named(self, name: str) -> Self:
        """Return this workflow; executions are stored under its function's name, so its attribute has it, too."""
        return self if name == self.name else super().named(name)

    def _encode(self, args: Any, kwargs: Any) -> str:
        return self.calls.encode_arguments(bind_arguments(self.name, self.codec.parameters, args, kwargs))

    def _start_child(self, context: WorkflowContext, input: str) -> Any:
        from service_kit.engine.options import ChildOptions

        start, parent_close = self._chosen.start, self._chosen.parent_close
        options = ChildOptions(
            id=start.id,
            timeout_s=start.timeout_s or self.definition.get("timeout_s"),
            start_delay_s=start.start_delay_s,
            parent_close=parent_close or self.definition.get("parent_close", "cancel"),
            attributes=start.attributes,
        )
        return context.start_child(self.name, input, options=options)


class WorkflowDecoration:
    """`@workflow(...)` with options, waiting for its function."""

    def __init__(self, options: WorkflowOptions, local_names: Mapping[str, Any]) -> None:
        self._options = options
        self._local_names = local_names

    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Workflow[P, R]:
        check_function("workflow", function)
        return Workflow(function, self._options, self._local_names)


class WorkflowDecorator:
    """`workflow`: declares workflows, and gives the code inside them what must be equal in every replay."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Workflow[P, R]: ...
    @overload
    def __call__(self, /, **options: Unpack[WorkflowOptions]) -> WorkflowDecoration: ...
    def __call__(
        self, function: Callable[..., Any] | None = None, /, **options: Unpack[WorkflowOptions]
    ) -> Any:
        """Declare a workflow: plain asyncio code that survives any crash.

        What it does is tasks, timers, signals and children; between them it must do the same in every replay,
        so no clock, randomness or I/O but what is offered here. Raises DefinitionError for a mistake.
        """
        decoration = WorkflowDecoration(options, enclosing_names())
        return decoration if function is None else decoration(function)

    def now(self) -> datetime:
        """Return the time of the present turn, in UTC."""
        return _context("workflow.now()").now()

    def random(self) -> float:
        """Return a float from [0, 1)."""
        return _context("workflow.random()").random()

    def uuid4(self) -> uuid.UUID:
        """Return a random UUID."""
        return uuid.UUID(bytes=_context("workflow.uuid4()").uuid4_bytes())

    def patched(self, id: str) -> bool:
        """Return True if this execution takes the new path of the patch `id`, False if it has passed it before.

        The way to change a workflow whose executions run: `if workflow.patched("fraud-check"): ...`.
        """
        return _context("workflow.patched()").patched(id)

    def execution_id(self) -> str:
        """Return the id of the execution that this code runs in."""
        return _context("workflow.execution_id()").id

    def replaying(self) -> bool:
        """Return whether what happens now has happened before: for logs and metrics, never for decisions."""
        return _context("workflow.replaying()").replaying


workflow: WorkflowDecorator = WorkflowDecorator()


def _context(what: str) -> WorkflowContext:
    from service_kit.engine.context import require_workflow

    return require_workflow(what)
