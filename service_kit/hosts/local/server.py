"""One server in this process, that finishes what is in flight when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any

import uvicorn

from service_kit.http import AsgiApplication

logger: logging.Logger = logging.getLogger("service_kit.host")

MARGIN_S = 5
"""What the service's lifespan and cancelled requests may take beyond the grace."""


LAST_REQUESTS_S = 0.1
"""Between the last connection that is accepted and the end of those without a request."""


class StartFailed(Exception):
    """The service's lifespan failed; the log has said why."""


def serve(
    application: AsgiApplication,
    listener: socket.socket,
    *,
    grace_s: int,
    on_started: Callable[[], None],
    on_stopping: Callable[[float], None] = lambda _: None,
) -> None:
    """Serve until SIGTERM or SIGINT, and return when what was in flight is finished.

    `on_stopping` hears, in the event loop, how many seconds are left then.
    Requests that take longer than `grace_s` are cancelled, which their callers are told as a problem of status 503.
    Threads that do not end then are left behind: the process ends in every case. A second SIGINT does not wait.
    Call it in the main thread. Raises StartFailed.
    """
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,  # the HTTP room has its own, with the request's id
        server_header=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=grace_s,
    )
    server = _Server(config, application, on_started, on_stopping)
    try:
        with _told_by_signals(server):
            server.run(sockets=[listener])
    except SystemExit as error:  # so says uvicorn that the lifespan failed
        raise StartFailed from error
    finally:
        server.ended.set()


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        application: AsgiApplication,
        on_started: Callable[[], None],
        on_stopping: Callable[[float], None],
    ) -> None:
        super().__init__(config)
        self._application = application
        self.ended = threading.Event()
        self._on_started = on_started
        self._on_stopping = on_stopping
        self._forced = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there by now stays: full collections need not visit it, and stop the loop for a thirtieth of the time.
        gc.collect()
        gc.freeze()
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stopping(self._grace_s)
        self._application.stopping = True
        for server in self.servers:
            server.close()
        # Uvicorn hangs up on connections that have no request yet; one that was just accepted is about to send it.
        await asyncio.sleep(LAST_REQUESTS_S)
        in_flight = len(self.server_state.tasks)
        if in_flight and not self.force_exit:
            logger.info("finishing what is in flight (%d), for at most %d s", in_flight, self._grace_s)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        told_before = self.should_exit
        super().handle_exit(sig, frame)
        if not told_before:
            self._end_after(self._grace_s + MARGIN_S)
        elif self.force_exit and not self._forced:
            self._forced = True
            self._end_after(1)

    @property
    def _grace_s(self) -> int:
        return self.config.timeout_graceful_shutdown or 0

    def _end_after(self, limit_s: float) -> None:
        """End the process if the server has not by then: a sync function in a thread hears of no cancellation."""

        def wait() -> None:
            if not self.ended.wait(limit_s):
                logger.error("what was in flight did not end in time and is left behind")
                os._exit(1)

        threading.Thread(target=wait, name="service_kit.stop", daemon=True).start()


@contextlib.contextmanager
def _told_by_signals(server: _Server) -> Generator[None]:
    """Let the first signal be heard before uvicorn listens to signals, and none end the process after it did.

    Uvicorn raises the signals again that it has handled; without handlers they would cut the interpreter's exit.
    """
    before: dict[int, Any] = {
        sig: signal.signal(sig, server.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)
