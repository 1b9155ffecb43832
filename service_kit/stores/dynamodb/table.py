"""The table, asked asynchronously: conditional writes, transactions, pages.

boto3 blocks, so its calls run in a pool of threads: as many at once as there are connections. A call of DynamoDB
takes milliseconds and handing it to a thread some 60 us; an asynchronous client would be another dependency, with
signing, retries and endpoints of its own, for nothing that could be measured.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar

from service_kit.runtime.ports import Unstorable
from service_kit.stores.dynamodb.keys import PK, SK
from service_kit.stores.dynamodb.values import MOST_BYTES, Item, marshal, size_bytes, unmarshal

T = TypeVar("T")

CONNECTIONS = 32
TRANSACTION_MOST = 100
"""Items in one transaction."""
_READ_MOST, _WRITE_MOST = 100, 25
_TRIES = 8
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Why a transaction may be cancelled that succeeds a little later."""


class Throttled(Exception):
    """DynamoDB did not take everything, however often it was asked."""


def _nothing() -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Write:
    """One write. In `change` and `when`, `#name` is an attribute and `:name` one of `values`."""

    kind: Literal["Put", "Update", "Delete"]
    item: Mapping[str, Any]
    """The whole item, or its key."""
    change: str = ""
    when: str = ""
    values: Mapping[str, Any] = field(default_factory=_nothing)
    names: Mapping[str, str] = field(default_factory=_nothing)
    """Of `#name`s that stand for an attribute of another name."""


def put(item: Mapping[str, Any], when: str = "", **values: Any) -> Write:
    return Write("Put", item, "", when, values)


def update(place: tuple[str, str], change: str, when: str = "", **values: Any) -> Write:
    return Write("Update", {PK: place[0], SK: place[1]}, change, when, values)


def delete(place: tuple[str, str], when: str = "", **values: Any) -> Write:
    return Write("Delete", {PK: place[0], SK: place[1]}, "", when, values)


class Table:
    """One table through one client of boto3, which is safe for threads."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._threads = ThreadPoolExecutor(CONNECTIONS, "dynamodb")
        self.name: str = name

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    async def get(self, place: tuple[str, str]) -> Item | None:
        """Return an item as it is now."""
        answer = await self._call(
            self._client.get_item,
            TableName=self.name,
            Key=marshal({PK: place[0], SK: place[1]}),
            ConsistentRead=True,
        )
        return unmarshal(answer["Item"]) if "Item" in answer else None

    async def write(self, one: Write, returned: Literal["ALL_OLD", "ALL_NEW"] | None = None) -> Item | None:
        """Write; return the item as it was or is (empty if nobody asked), None if its condition did not hold."""
        call = {
            "Put": self._client.put_item,
            "Update": self._client.update_item,
            "Delete": self._client.delete_item,
        }[one.kind]
        request = self._request(one)
        if returned is not None:
            request["ReturnValues"] = returned
        try:
            answer = await self._retried(lambda: self._call(call, **request))
        except Exception as error:
            if _code(error) == "ConditionalCheckFailedException":
                return None
            raise
        return unmarshal(answer.get("Attributes", {}))

    async def write_all(self, writes: Sequence[Write]) -> list[int] | None:
        """Write all or nothing; return None, or which conditions did not hold."""
        if len(writes) == 1:
            return [0] if await self.write(writes[0]) is None else None
        items = [{one.kind: self._request(one)} for one in writes]

        try:
            await self._retried(lambda: self._call(self._client.transact_write_items, TransactItems=items))
        except Exception as error:
            failed = [n for n, code in enumerate(_reasons(error)) if code == "ConditionalCheckFailed"]
            if not failed:
                raise
            return failed
        return None

    async def query(
        self,
        partition: str,
        low: str = "",
        high: str = "",
        *,
        limit: int | None = None,
        backwards: bool = False,
        only: Sequence[str] = (),
    ) -> list[Item]:
        """Return what a partition has now between two sort keys, both included."""
        request = self._reading(
            "#pk = :pk AND #sk BETWEEN :low AND :high",
            {"pk": partition, "low": low, "high": high},
            only,
        )
        return await self._pages(
            {**request, "ConsistentRead": True, "ScanIndexForward": not backwards}, limit
        )

    async def query_index(
        self,
        index: str,
        condition: str,
        values: Mapping[str, Any],
        *,
        limit: int | None = None,
        backwards: bool = False,
    ) -> list[Item]:
        """Return entries of an index. They may be late: what is found is to be read again before it is acted upon."""
        request = self._reading(condition, values, ())
        return await self._pages({**request, "IndexName": index, "ScanIndexForward": not backwards}, limit)

    async def get_many(self, places: Iterable[tuple[str, str]]) -> list[Item]:
        """Return those of these items that are there, as they are now, in no order."""
        keys = [marshal({PK: pk, SK: sk}) for pk, sk in dict.fromkeys(places)]
        groups = [keys[n : n + _READ_MOST] for n in range(0, len(keys), _READ_MOST)]
        found = await asyncio.gather(*(self._get_group(group) for group in groups))
        return [item for group in found for item in group]

    async def delete_many(self, places: Iterable[tuple[str, str]]) -> None:
        """Delete items, whatever they hold."""
        requests = [{"DeleteRequest": {"Key": marshal({PK: pk, SK: sk})}} for pk, sk in places]
        for start in range(0, len(requests), _WRITE_MOST):
            await self._delete_group(requests[start : start + _WRITE_MOST])

    async def _get_group(self, keys: list[dict[str, Any]]) -> list[Item]:
        found: list[Item] = []
        for attempt in range(_TRIES):
            wanted = {self.name: {"Keys": keys, "ConsistentRead": True}}
            answer = await self._call(self._client.batch_get_item, RequestItems=wanted)
            found += [unmarshal(item) for item in answer["Responses"].get(self.name, ())]
            keys = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if not keys:
                return found
            await _rest(attempt)
        raise Throttled(f"{len(keys)} items of table '{self.name}' could not be read; try again later")

    async def _delete_group(self, requests: list[dict[str, Any]]) -> None:
        for attempt in range(_TRIES):
            answer = await self._call(self._client.batch_write_item, RequestItems={self.name: requests})
            requests = answer.get("UnprocessedItems", {}).get(self.name, [])
            if not requests:
                return
            await _rest(attempt)
        raise Throttled(f"{len(requests)} items of table '{self.name}' could not be deleted; try again later")

    async def _pages(self, request: dict[str, Any], limit: int | None) -> list[Item]:
        found: list[Item] = []
        while True:
            if limit is not None:
                request["Limit"] = limit - len(found)
            answer = await self._call(self._client.query, **request)
            found += [unmarshal(item) for item in answer["Items"]]
            last = answer.get("LastEvaluatedKey")
            if last is None or (limit is not None and len(found) >= limit):
                return found
            request["ExclusiveStartKey"] = last

    def _reading(self, condition: str, values: Mapping[str, Any], only: Sequence[str]) -> dict[str, Any]:
        shown = ", ".join(f"#{name}" for name in only)
        request = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": _names(f"{condition} {shown}"),
            "ExpressionAttributeValues": _values(values),
        }
        return {**request, "ProjectionExpression": shown} if only else request

    def _request(self, one: Write) -> dict[str, Any]:
        marshalled = marshal(one.item)
        request: dict[str, Any] = {
            "TableName": self.name,
            ("Item" if one.kind == "Put" else "Key"): marshalled,
        }
        values = _values(one.values)
        size = size_bytes(marshalled) + size_bytes(values)
        if size > MOST_BYTES:
            raise Unstorable(
                f"it cannot be stored: {size} bytes are more than DynamoDB takes for one item ({MOST_BYTES});"
                f" make it smaller, or keep it elsewhere and pass its place"
            )
        if one.change:
            request["UpdateExpression"] = one.change
        if one.when:
            request["ConditionExpression"] = one.when
        if names := _names(f"{one.change} {one.when}"):
            request["ExpressionAttributeNames"] = names | {f"#{k}": name for k, name in one.names.items()}
        if values:
            request["ExpressionAttributeValues"] = values
        return request

    async def _retried(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call again what met another transaction on its way, or was throttled within one, which boto3 does not."""
        for attempt in range(_TRIES):
            try:
                return await call()
            except Exception as error:
                if _code(error) != "TransactionConflictException" and _PASSING.isdisjoint(_reasons(error)):
                    raise
            await _rest(attempt)
        return await call()

    async def _call(self, call: Callable[..., Any], **request: Any) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, **request))
        except UnicodeEncodeError as error:
            raise Unstorable(
                f"it cannot be stored: {error}; DynamoDB keeps text, and this is none"
            ) from error
        except Exception as error:
            if _is_too_large(error):
                raise Unstorable(
                    f"it cannot be stored: {error}; make it smaller, or keep it elsewhere and pass its place"
                ) from error
            raise


def _names(expression: str) -> dict[str, str]:
    return {f"#{name}": name for name in re.findall(r"#(\w+)", expression)}


def _values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f":{name}": value for name, value in marshal(values).items()}


def _code(error: Exception) -> str:
    """Return DynamoDB's name of an error: botocore makes its classes at run time."""
    code: str = _response(error).get("Error", {}).get("Code", "")
    return code


def _reasons(error: Exception) -> list[str]:
    """Return why a transaction was cancelled, for each of its writes."""
    return [reason.get("Code") or "" for reason in _response(error).get("CancellationReasons", ())]


def _is_too_large(error: Exception) -> bool:
    """Tell whether an item, as it would have become, is refused for its size."""
    reasons = _response(error).get("CancellationReasons", ())
    told = [each.get("Message") or "" for each in reasons if each.get("Code") == "ValidationError"]
    if _code(error) == "ValidationException":
        told.append(str(error))
    return any("size" in text.lower() for text in told)


def _response(error: Exception) -> Mapping[str, Any]:
    return getattr(error, "response", None) or {}


async def _rest(attempt: int) -> None:
    await asyncio.sleep(0.02 * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
