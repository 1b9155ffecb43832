"""Call a warm handler for some seconds: `python -m benchmarks.aws_lambda.worker <target> <payload version>`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.aws_lambda.context import Context
from benchmarks.aws_lambda.events import event_of
from benchmarks.child import answer_questions
from benchmarks.contender import load
from benchmarks.orders import ORDER, SMALL_BODY, WRONG_BODY

BATCH = 100
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def main(target: str, payload: str) -> None:
    """Check the handler's answers, and then measure as often as asked."""
    handler: Handler = load(target)
    event, context = event_of(payload, SMALL_BODY.decode()), Context()
    right = handler(event, context)
    if right["statusCode"] != 200 or json.loads(right["body"]) != ORDER.model_dump(mode="json"):
        raise RuntimeError(f"{target} answers {right}")
    wrong = handler(event_of(payload, WRONG_BODY.decode()), context)
    if wrong["statusCode"] not in (400, 422):
        raise RuntimeError(f"{target} does not refuse a wrong body: {wrong}")
    answer_questions(lambda question: _measure(handler, event, context, question["seconds"]))


def _measure(handler: Handler, event: dict[str, Any], context: Context, seconds: float) -> float:
    """Return microseconds of processor time per call, which other work on the machine leaves alone."""
    calls = 0
    used = time.process_time()
    begin = now = time.perf_counter()
    while now - begin < seconds:
        for _ in range(BATCH):
            handler(event, context)
        calls += BATCH
        now = time.perf_counter()
    return (time.process_time() - used) / calls * 1e6


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
