"""What whoever runs a service hears of failures: each attempt and each execution that failed, in the log."""

from __future__ import annotations

import logging
import shlex

from service_kit.engine.failure import Failure, message_of
from service_kit.engine.history import ExecutionRaised, ExecutionTimedOut
from service_kit.engine.turn import Outcome
from service_kit.errors import ServiceError
from service_kit.runtime.records import ClaimedTask

logger: logging.Logger = logging.getLogger("service_kit.runtime")


def tell_ending(id: str, workflow: str, outcome: Outcome) -> None:
    """Tell of an execution that has just ended otherwise than it should."""
    match outcome:
        case ExecutionRaised(failure=failure):
            logger.warning("execution '%s' of '%s' failed: %s", id, workflow, _told(failure))
        case ExecutionTimedOut(timeout_s=timeout_s):
            logger.warning("execution '%s' of '%s' did not end within %g s", id, workflow, timeout_s)
        case _:
            return


def tell_pause(id: str, cause: BaseException) -> None:
    """Tell of an execution that cannot go on, and what lets it when its code or the service is mended."""
    logger.error(
        "execution '%s' is paused: it cannot go on; once the cause is mended: service-kit executions resume %s",
        id,
        shlex.quote(id),
        exc_info=cause,
    )


def tell_attempt(claimed: ClaimedTask, error: BaseException, again_in_s: float | None) -> None:
    """Tell of an attempt that failed, and when the next one follows; None: it was the last one."""
    task, execution, attempt = claimed.name, claimed.key.execution, claimed.attempt
    what = f"{type(error).__name__}: {message_of(error)}"
    if again_in_s is not None:
        logger.warning(
            "attempt %d of task '%s' of '%s' failed, and it is tried again in %.3g s: %s",
            attempt,
            task,
            execution,
            again_in_s,
            what,
        )
    else:
        # A declared error is an answer; of any other somebody wants to know where it was raised.
        trace = None if isinstance(error, ServiceError) else error
        logger.warning(
            "task '%s' of '%s' failed in attempt %d, its last: %s",
            task,
            execution,
            attempt,
            what,
            exc_info=trace,
        )


def _told(failure: Failure) -> str:
    told = f"{failure.type.partition(':')[2] or failure.kind}: {failure.message}"
    is_declared = failure.fields is not None
    return told if is_declared or not failure.traceback else f"{told}\n{failure.traceback}"
