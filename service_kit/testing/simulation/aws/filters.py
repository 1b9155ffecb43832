"""What the event source mappings of the template let through: those of `deploy`, read by hand."""

from __future__ import annotations

from service_kit.stores.dynamodb.keys import ARRIVAL, META, OUTBOX, SK, TASK
from service_kit.testing.simulation.aws.stream import Record


def wakes_executions(record: Record) -> bool:
    """Tell whether a record is for the orchestrator."""
    sk, image = _sk(record), record["dynamodb"].get("NewImage", {})
    if record["eventName"] == "REMOVE":
        return False
    return (
        (sk == META and record["eventName"] == "INSERT")
        or sk.startswith(ARRIVAL)
        or (sk.startswith(TASK) and "answer" in image)
    )


def is_of_the_outbox(record: Record) -> bool:
    """Tell whether a record is for the relay."""
    return record["eventName"] == "INSERT" and _sk(record) == OUTBOX


def _sk(record: Record) -> str:
    return str(record["dynamodb"]["Keys"][SK]["S"])
