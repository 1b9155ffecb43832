"""Time the start of a function: what `python -c` runs in a fresh process.

Imports nothing that a handler module might: it would be missing from what is measured.
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    """Print how long the import took, and the import with the first call, in milliseconds of processor time.

    Arguments: `module:handler`, and the payload version of the first call; without one there is none.
    """
    module, _, attribute = sys.argv[1].partition(":")
    begin = time.process_time()
    __import__(module)
    getattr(sys.modules[module], attribute)  # which some modules make when they are asked for it
    import_s = time.process_time() - begin

    times = {"import": import_s * 1000}
    if len(sys.argv) > 2:
        times["import and first call"] = (import_s + _first_call_s(module, attribute, sys.argv[2])) * 1000

    from benchmarks.child import tell

    tell(times)


def _first_call_s(module: str, attribute: str, payload: str) -> float:
    from benchmarks.aws_lambda.context import Context
    from benchmarks.aws_lambda.events import event_of

    handler = getattr(sys.modules[module], attribute)
    event, context = event_of(payload, '{"sku": "sku-1", "quantity": 2}'), Context()
    begin = time.process_time()
    handler(event, context)
    return time.process_time() - begin
