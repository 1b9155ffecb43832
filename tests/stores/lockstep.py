"""A client of DynamoDB that asks an emulator and the simulator's model the same, and compares what they answer.

The contract suite of the store runs through it, so that every call that the store makes there is a check of the model.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from service_kit.stores.dynamodb.values import unmarshal
from service_kit.testing.simulation.aws.dynamodb import DynamoClient
from service_kit.testing.simulation.aws.table import ModelTable

CALLS = {
    "get_item", "put_item", "update_item", "delete_item", "transact_write_items", "query", "batch_get_item",
    "batch_write_item",
}  # fmt: skip


class Lockstep:
    """A client that asks both, one call at a time."""

    def __init__(self, emulator: Any, table: str) -> None:
        self._emulator = emulator
        self._model = DynamoClient(ModelTable(), table)
        self._one_at_a_time = threading.Lock()
        self.compared: int = 0

    def __getattr__(self, name: str) -> Any:
        if name not in CALLS:
            return getattr(self._emulator, name)
        return lambda **request: self._both(name, request)

    def _both(self, name: str, request: Mapping[str, Any]) -> Any:
        with self._one_at_a_time:
            answer, error = _asked(getattr(self._emulator, name), request)
            told, refused = _asked(getattr(self._model, name), request)
            self.compared += 1
        assert _said(answer, error) == _said(told, refused), f"{name} of {request}"
        if error is not None:
            raise error
        return answer


def _asked(call: Callable[..., Any], request: Mapping[str, Any]) -> tuple[Any, Exception | None]:
    try:
        return call(**request), None
    except Exception as error:
        if not hasattr(error, "response"):
            raise
        return None, error


def _said(answer: Any, error: Exception | None) -> Any:
    """Return what matters of an answer: not how a number is spelt, nor the order in what has none."""
    if error is not None:
        response: Any = getattr(error, "response", None)
        reasons = [reason["Code"] for reason in response.get("CancellationReasons", ())]
        return response["Error"]["Code"], reasons
    items: Sequence[Any] = answer.get("Items", ())
    found = [unmarshal(item) for each in answer.get("Responses", {}).values() for item in each]
    return (
        [unmarshal(answer[part]) for part in ("Item", "Attributes") if answer.get(part)],
        sorted((unmarshal(item) for item in items), key=_place)
        if any("due_at" in item for item in items)
        else [unmarshal(item) for item in items],
        sorted(found, key=_place),
        bool(answer.get("UnprocessedKeys")) or bool(answer.get("UnprocessedItems")),
    )


def _place(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item["pk"]), str(item["sk"])
