"""What all functions behind streams and queues have in common: one event loop, a deadline, partial answers."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from functools import cached_property
from typing import Any, Protocol, TypeVar

from service_kit.contract.gateway import set_gateway
from service_kit.hosts.aws.environment import imported
from service_kit.hosts.aws.host import AwsHost, host_from_environment
from service_kit.hosts.aws.loop import InvocationLoop
from service_kit.hosts.aws.records import Event, Failures, failures
from service_kit.http.lifespan import LifespanRunner

logger: logging.Logger = logging.getLogger("service_kit.lambda")

MARGIN_S = 2.0
"""So long before the function's end what still runs is cut off, and comes again."""
UNLIMITED_S = 900.0
"""Without a context (a test): no function may take longer."""


class LambdaContext(Protocol):
    """What a handler reads of its context."""

    @property
    def aws_request_id(self) -> str: ...

    def get_remaining_time_in_millis(self) -> int: ...


class Invocation:
    """One call of a function."""

    def __init__(self, host: AwsHost, context: LambdaContext | None) -> None:
        self._context = context
        self._clock = host.clock
        self.owner: str = context.aws_request_id if context is not None else host.new_id()
        self.ends_at_s: float = self._clock.now_s() + self.remaining_s()
        """When the platform ends the function by force."""

    def remaining_s(self) -> float:
        return UNLIMITED_S if self._context is None else self._context.get_remaining_time_in_millis() / 1000

    async def finish(self, work: Mapping[str, Coroutine[Any, Any, None]]) -> dict[str, BaseException]:
        """Do several things side by side; return what failed, and what was cut off shortly before the end."""
        tasks = {name: asyncio.create_task(one, name=name) for name, one in work.items()}
        if not tasks:
            return {}
        await asyncio.wait(tasks.values(), timeout=max(self.remaining_s() - MARGIN_S, 0.0))
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        failed: dict[str, BaseException] = {}
        for name, task in tasks.items():
            error = TimeoutError("the function's time is over") if task.cancelled() else task.exception()
            if error is not None:
                logger.error("%s failed, and will come again", name, exc_info=error)
                failed[name] = error
        return failed


class Function(ABC):
    """A handler for the Lambda runtime, with an event loop of its own that lives as long as the process."""

    def __init__(self, host: AwsHost) -> None:
        self.host: AwsHost = host
        self._lifespan = LifespanRunner(host.contract.lifespan)

    @cached_property
    def _loop(self) -> InvocationLoop:
        return InvocationLoop()

    def __call__(self, event: Event, context: LambdaContext | None = None) -> Failures:
        """Handle an event; return which of its records are to come again."""
        invocation = Invocation(self.host, context)
        return failures(self._loop.run(self.handle(event, invocation), invocation.remaining_s))

    def prepare(self) -> None:
        """Make what every call needs, boto3 and its clients with it."""
        _ = self.host.store  # it is kept

    @abstractmethod
    async def handle(self, event: Event, invocation: Invocation) -> list[str]:
        """Return the ids of the records that are to come again."""

    async def user_context(self) -> contextvars.Context:
        """Return the context of the service's own code, within its lifespan, which opens with the first call."""
        from service_kit.hosts.aws.gateway import gateway_of  # functions without user code need nothing of it

        await self._lifespan.open()
        context = contextvars.Context()
        context.run(self._lifespan.variables.lend)
        context.run(set_gateway, gateway_of(self.host))
        return context

    def close(self) -> None:
        """Let go of everything; for tests."""
        self._loop.run_until_complete(self._lifespan.close())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        self.host.close()


F = TypeVar("F", bound=Function)


def function_from_environment(kind: type[F]) -> F:
    """Return a function of the service that the environment names, prepared.

    That is the init phase, which has a whole processor; a call of a small function has a third of one.
    """

    def make() -> F:
        function = kind(host_from_environment())
        function.prepare()
        return function

    return imported(make)
