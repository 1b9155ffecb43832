"""Long polls that end when the process is told to: they would hold up every reload and every deployment."""

from __future__ import annotations

import asyncio

from service_kit.contract.exchange import Next, Request, Response
from service_kit.http.application import HostRoute, Target

POLLED = "outcome"
"""The command of the management API that waits."""


class Polls:
    """The long polls of one host."""

    def __init__(self) -> None:
        self._open: set[asyncio.Future[Response]] = set()
        self._over = False

    def released(self, route: HostRoute) -> HostRoute:
        """Return the route, as one that `release` answers if it is a poll's."""
        method, path, target = route
        if target.declared is None or target.declared.name != POLLED:
            return route
        return method, path, Target(self._releasable(target.answer), target.declared)

    def release(self) -> None:
        """Answer every poll now, as if its time was over: who asked asks again, and reaches the next process."""
        self._over = True
        for answering in self._open:
            answering.cancel()

    def _releasable(self, answer: Next) -> Next:
        async def poll(request: Request) -> Response:
            if self._over:
                return _not_yet()
            answering = asyncio.ensure_future(answer(request))
            self._open.add(answering)
            try:
                await asyncio.wait({answering})
            finally:
                self._open.discard(answering)
                answering.cancel()  # the caller has hung up, if it is not done
            return _not_yet() if answering.cancelled() else answering.result()

        return poll


def _not_yet() -> Response:
    # On the same connection the next question would come back to this process.
    return Response(200, [(b"content-type", b"application/json"), (b"connection", b"close")], b"null")
