"""Transactions that DynamoDB cancels for a reason that boto3 does not look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped] # it has no types

from service_kit.runtime.ports import Unstorable
from service_kit.stores.dynamodb.store import DynamoStore, dynamodb_store
from service_kit.stores.dynamodb.table import Table
from tests.stores.examples import ending, started

pytestmark = pytest.mark.anyio


class Cancels:
    """A client whose first transactions are cancelled."""

    def __init__(self, real: Any, *reasons: dict[str, str]) -> None:
        self._real = real
        self._reasons = list(reasons)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def transact_write_items(self, **request: Any) -> Any:
        if not self._reasons:
            return self._real.transact_write_items(**request)
        # As AWS writes it, the message tells codes alone.
        reason = self._reasons.pop(0)
        text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{reason['Code']}, None]"
        answer: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": text},
            "CancellationReasons": [reason, {"Code": "None"}],
        }
        raise ClientError(answer, "TransactWriteItems")


@contextmanager
def _cancelling(table: Table, *reasons: dict[str, str]) -> Iterator[DynamoStore]:
    asking = Table(Cancels(table._client, *reasons), table.name)
    try:
        yield dynamodb_store(asking, queued=True)
    finally:
        asking.close()


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"])
async def test_a_turn_that_is_throttled_within_its_transaction_is_committed_a_little_later(
    ministack_table: Table, code: str
) -> None:
    await started(dynamodb_store(ministack_table, queued=True).stores)
    with _cancelling(ministack_table, {"Code": code, "Message": "please try again shortly"}) as store:
        await store.executions.commit(ending(1))
        record = await store.executions.read("x")
    assert record is not None
    assert record.outcome == "the end"


async def test_a_record_that_grows_too_large_within_a_transaction_is_unstorable(
    ministack_table: Table,
) -> None:
    await started(dynamodb_store(ministack_table, queued=True).stores)
    text = "Item size to update has exceeded the maximum allowed size"
    with (
        _cancelling(ministack_table, {"Code": "ValidationError", "Message": text}) as store,
        pytest.raises(Unstorable, match="make it smaller"),
    ):
        await store.executions.commit(ending(1))
