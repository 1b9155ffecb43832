"""What workflows ask of AWS: counted by `tests/hosts/aws/test_costs.py`, which fails where these numbers are others.

Items are up to 1 KB, functions warm, and nothing fails. Each message and each change comes to a call of its own: where
there is more to do, Lambda brings several, and there are fewer.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Requests:
    """Counts by kind; sums and multiples of them are counts, too."""

    writes: int = 0
    """Items written to the table."""
    write_units: int = 0
    reads: int = 0
    """Requests that read the table."""
    read_units: float = 0.0
    invocations: int = 0
    queue: int = 0
    """Requests to SQS: sending, and receiving and deleting, which Lambda does, but does not pay."""
    events: int = 0
    """Events put on the bus."""
    schedules: int = 0
    """Schedules of EventBridge, each for one time."""
    objects_written: int = 0
    """Requests to S3 that write, or list; deleting is free."""
    objects_read: int = 0
    waits: int = 0
    """Requests whose answers a function waits for."""

    def __add__(self, other: Requests) -> Requests:
        return Requests(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Requests)))

    def __mul__(self, times: int) -> Requests:
        return Requests(*(getattr(self, f.name) * times for f in fields(Requests)))


QUEUED_STEP = Requests(writes=3, write_units=3, invocations=2, queue=3, waits=4)
"""One more task behind another, through its queue: chunk, claim, answer."""
INLINE_STEP = Requests(writes=1, write_units=1, waits=1)
AROUND_STEPS = Requests(writes=4, write_units=16, reads=4, read_units=4, invocations=1, waits=6)
"""What begins and ends an execution that has steps."""


def sequential(*, queued: int = 0, inline: int = 0) -> Requests:
    """Return what a workflow of so many steps, one after another, asks for."""
    return AROUND_STEPS + QUEUED_STEP * queued + INLINE_STEP * inline


NOTHING = Requests(writes=3, write_units=11, reads=4, read_units=4, invocations=1, waits=6)
TIMER = Requests(writes=5, write_units=17, reads=7, read_units=7, invocations=2, queue=3, waits=11)
LATE_TIMER = Requests(
    writes=5, write_units=17, reads=7, read_units=7, invocations=2, queue=3, schedules=1, waits=11
)
"""Beyond the quarter of an hour that SQS can delay a message."""
CHILD = Requests(writes=10, write_units=33, reads=9, read_units=9, invocations=3, waits=15)
"""A parent whose one child does nothing: two executions."""
SIGNAL = Requests(writes=8, write_units=23, reads=7, read_units=7, invocations=3, waits=12)
WIDTH = 50
FAN_OUT = Requests(writes=154, write_units=168, reads=4, read_units=4, invocations=101, queue=105, waits=161)
"""So many tasks at once, whose answers come one by one."""
FAN_OUT_TOGETHER = Requests(
    writes=105, write_units=119, reads=4, read_units=4, invocations=52, queue=105, waits=112
)
"""The same, with answers that come all at once."""
EVENT = Requests(writes=5, write_units=15, reads=4, read_units=4, invocations=2, queue=2, events=1, waits=9)
"""An execution that emits an event for one subscription."""
COMMAND_EVENT = Requests(writes=4, write_units=8, invocations=2, queue=2, events=1, waits=5)
"""A command that emits one, without its own invocation."""

FORGOTTEN_QUEUED_STEP = Requests(writes=2, write_units=2)
"""What deleting an execution that is over costs for each of its steps, if it is to be forgotten."""
FORGOTTEN_INLINE_STEP = Requests(writes=1, write_units=1)
LARGE_KB = 300
LARGE = Requests(
    writes=7,
    write_units=19,
    reads=4,
    read_units=4,
    invocations=3,
    queue=3,
    objects_written=2,
    objects_read=1,
    waits=13,
)
"""An execution of one step, whose answer lies in the bucket: for the task, and for the history."""
IDLE_MINUTE = Requests(reads=21, read_units=10.5, invocations=1, objects_written=1, waits=22)
"""The sweeper's look at a table in which nothing is late."""
