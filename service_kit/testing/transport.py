"""The way of a test's client into the stage: the real HTTP face, without a socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from client_kit.wire import AsyncBody, Request, Response
from service_kit.testing.gateway import Runner
from service_kit.testing.stage import Stage

__tracebackhide__ = True  # a failing test shows its own line, not how it was run

__all__ = ["StageTransport"]


class StageTransport:
    """A client's transport, for sync and async callers alike: the loop of the stage runs until there is an answer."""

    def __init__(self, stage: Callable[[], Stage], run: Runner, listen: Runner) -> None:
        self._stage = stage
        self._run = run
        self._listen = listen
        """Runs what a stream needs: one that is silent for ever never lets the service come to rest."""

    async def send(self, request: Request) -> Response:
        stage = self._stage()
        if stage.loop.is_running():  # beside the service, in its own loop
            return await stage.transport.send(request)
        response = self._send(stage, request)
        if response.stream is None:
            return response
        return replace(response, stream=_AsyncBody(cast(AsyncBody, response.stream), self._listen))

    def send_sync(self, request: Request) -> Response:
        response = self._send(self._stage(), request)
        if response.stream is None:
            return response
        return replace(response, stream=_SyncBody(cast(AsyncBody, response.stream), self._listen))

    def _send(self, stage: Stage, request: Request) -> Response:
        run = self._listen if request.streaming else self._run
        return run(stage.transport.send(request))

    async def close(self) -> None:
        """Do nothing: the stage is the environment's."""

    def close_sync(self) -> None:
        """Do nothing, as `close`."""


class _AsyncBody:
    def __init__(self, body: AsyncBody, run: Runner) -> None:
        self._body = body
        self._run = run

    async def read(self) -> bytes:
        return self._run(self._body.read())

    async def close(self) -> None:
        self._run(self._body.close())


class _SyncBody:
    def __init__(self, body: AsyncBody, run: Runner) -> None:
        self._body = body
        self._run = run

    def read(self, timeout_s: float | None) -> bytes:
        return self._run(self._body.read())

    def close(self) -> None:
        self._run(self._body.close())
