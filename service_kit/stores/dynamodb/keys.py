"""Where everything is in the table: keys, indexes, and the definition of the table itself."""

from __future__ import annotations

import hashlib
from typing import Any

from service_kit.contract.schedule import SCHEDULER
from service_kit.runtime.records import TaskKey

PK, SK = "pk", "sk"
TTL = "ttl"
BY_DUE, DUE_PK, DUE_AT = "by-due", "due_pk", "due_at"
"""The sparse index of what somebody has to look at, and when: wake-ups, arrivals, tasks, deliveries, ended ones."""
BY_LISTING, LIST_PK, LIST_SK = "by-listing", "list_pk", "list_sk"
"""The index of executions by status and age."""
SHARDS = 4
"""Over how many partitions each kind of entry of an index is spread: each takes some 1,000 writes a second."""

META = "meta"
CHUNK, ARRIVAL, TASK, STATE, DELIVERY = "j#", "a#", "t#", "s#", "d#"
OUTBOX = "o#"
"""What the sort keys of each kind of item begin with: the filters of the stream go by them."""
KEY_MOST_BYTES = 900
"""Names that are longer stand in a key by their digest: DynamoDB takes 1,024 bytes."""


def execution_pk(id: str) -> str:
    return f"x#{id}"


def chunk_sk(run: int, turn: int) -> str:
    return f"{CHUNK}{run:08d}#{turn:08d}"


def arrival_sk(key: str) -> str:
    return ARRIVAL + _fitted(key)


def task_sk(run: int, seq: int) -> str:
    return f"{TASK}{run:08d}#{seq:08d}"


def task_place(key: TaskKey) -> tuple[str, str]:
    return execution_pk(key.execution), task_sk(key.run, key.seq)


def state_sk(name: str) -> str:
    return STATE + _fitted(name)


def delivery_place(event_id: str, subscription: str) -> tuple[str, str]:
    return f"e#{_fitted(event_id)}", DELIVERY + subscription


def answer_place(key: str) -> tuple[str, str]:
    return f"k#{_fitted(key)}", "k#"


def outbox_place(id: str) -> tuple[str, str]:
    return f"{OUTBOX}{id}", OUTBOX


def wake_pk(execution: str) -> str:
    """Return the partition of the index in which an execution's own wake-up time stands."""
    return f"w#{_shard(execution)}"


def visit_pk(execution: str) -> str:
    """Return the partition of the index with those that are looked at now and then, whatever they wait for."""
    return f"v#{_shard(execution)}"


def waiting_pk(execution: str) -> str:
    """Return the partition of the index that tells of what has arrived for executions."""
    return f"a#{_shard(execution)}"


def pending_pk(execution: str) -> str:
    """Return the partition of the index that tells of turns whose effects are on their way."""
    return f"p#{_shard(execution)}"


def ended_pk(execution: str) -> str:
    """Return the partition of the index in which executions stand by the time of their end."""
    return f"y#{_shard(execution)}"


def unpublished_pk(event: str) -> str:
    """Return the partition of the index with events that are on their way to the bus."""
    return f"o#{_shard(event)}"


def task_pk(name: str) -> str:
    return f"t#{name}"


def subscription_pk(name: str) -> str:
    return f"e#{name}"


DEAD_PK = "z#"
"""The partition of the index with the dead letters: there are few, or nobody reads them."""


def listing_pk(status: str, workflow: str, execution: str) -> str:
    """Return the partition of the index of lists in which an execution stands."""
    return schedulers_pk(status) if workflow == SCHEDULER else f"{status}#{_shard(execution)}"


def schedulers_pk(status: str) -> str:
    """Return the partition of what keeps schedules: few, which are looked for among any number of others."""
    return f"{status}#schedulers"


def listing_sk(created_at_s: float, execution: str) -> str:
    """Return a text that sorts as (time, id) does."""
    return f"{created_at_s:020.9f}/{_fitted(execution)}"


def shards(kind: str) -> list[str]:
    """Return all partitions of one kind of entry, such as `w` or `succeeded`."""
    return [f"{kind}#{number}" for number in range(SHARDS)]


def table_definition(name: str) -> dict[str, Any]:
    """Return the arguments of `CreateTable`; time to live is switched on apart from it, for the attribute `TTL`."""
    texts, number = (PK, SK, DUE_PK, LIST_PK, LIST_SK), DUE_AT
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            *({"AttributeName": each, "AttributeType": "S"} for each in texts),
            {"AttributeName": number, "AttributeType": "N"},
        ],
        "KeySchema": _key(PK, SK),
        "GlobalSecondaryIndexes": [
            {"IndexName": BY_DUE, "KeySchema": _key(DUE_PK, DUE_AT), "Projection": _KEYS_ONLY},
            {"IndexName": BY_LISTING, "KeySchema": _key(LIST_PK, LIST_SK), "Projection": _KEYS_ONLY},
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    }


_KEYS_ONLY = {"ProjectionType": "KEYS_ONLY"}


def _key(hashed: str, ranged: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hashed, "KeyType": "HASH"},
        {"AttributeName": ranged, "KeyType": "RANGE"},
    ]


def _shard(text: str) -> int:
    return hashlib.blake2b(text.encode(), digest_size=2).digest()[0] % SHARDS


def _fitted(text: str) -> str:
    """Return a text, or the digest of one that is too long for a key."""
    octets = text.encode()
    return text if len(octets) <= KEY_MOST_BYTES else f"~{hashlib.sha256(octets).hexdigest()}"
