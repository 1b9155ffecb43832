"""Workflows bound to a service: what `client.process_order` is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, ParamSpec, Protocol, Self, TypeVar, cast

from client_kit.contracts import ErrorContract
from client_kit.executions import ExecutionHandle, StartOptions
from client_kit.executions import WorkflowContract as HandleContract
from client_kit.ids import new_id
from client_kit.system import ServiceAccess

__all__ = ["BoundWorkflow", "WorkflowContract"]

P = ParamSpec("P")
R = TypeVar("R")


class WorkflowContract(Protocol):
    """What the client reads of a workflow."""

    @property
    def name(self) -> str: ...
    @property
    def errors(self) -> Mapping[str, ErrorContract]:
        """What the management API may raise, by name."""
        ...

    def encode_call(self, args: Sequence[Any], kwargs: Mapping[str, Any], /) -> bytes: ...

    def decode_outcome(self, outcome: str, /) -> Any: ...


class BoundWorkflow(Generic[P, R]):
    """A workflow of a service. Immutable, so that any number of callers share one."""

    __slots__ = ("_access", "_contract", "_options")

    def __init__(
        self, access: ServiceAccess, contract: WorkflowContract, options: StartOptions | None = None
    ) -> None:
        self._access = access
        self._contract = contract
        self._options = options or StartOptions()

    def options(
        self,
        *,
        id: str | None = None,
        timeout_s: float | None = None,
        start_delay_s: float | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> Self:
        """Return the same workflow with these options for its next starts; what is not given stays as it was.

        `id` makes a start idempotent: the same id and input give the running execution, another input is an error.
        """
        old = self._options
        chosen = StartOptions(
            id=old.id if id is None else id,
            timeout_s=old.timeout_s if timeout_s is None else timeout_s,
            start_delay_s=old.start_delay_s if start_delay_s is None else start_delay_s,
            attributes=old.attributes if attributes is None else dict(attributes),
        )
        return type(self)(self._access, self._contract, chosen)

    async def start(self, *args: P.args, **kwargs: P.kwargs) -> ExecutionHandle[R]:
        """Start an execution and return its handle, without waiting for its result. It is stored by then."""
        payload = self._contract.encode_call(args, kwargs).decode()
        old = self._options
        # An id of our own makes the start safe to ask for again when its answer is lost.
        options = StartOptions(old.id or new_id(), old.timeout_s, old.start_delay_s, old.attributes)
        return self._handle(await self._access.start(self._contract.name, payload, options), started=True)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Start an execution and wait for its result."""
        return await (await self.start(*args, **kwargs)).result()

    def get(self, id: str) -> ExecutionHandle[R]:
        """Return the handle of an execution that was started before; nothing is asked yet."""
        return self._handle(id, started=False)

    def _handle(self, id: str, *, started: bool) -> ExecutionHandle[R]:
        contract = cast("HandleContract[R]", self._contract)
        return ExecutionHandle(self._access, contract, id, started=started)

    def __repr__(self) -> str:
        return f"<BoundWorkflow {self._contract.name!r}>"
