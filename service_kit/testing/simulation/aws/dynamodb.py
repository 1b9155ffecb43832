"""What boto3's client of DynamoDB does, over the table in memory: the calls that the store makes, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service_kit.stores.dynamodb.keys import PK, SK
from service_kit.stores.dynamodb.values import size_bytes
from service_kit.testing.simulation.aws.errors import Unmodelled, check
from service_kit.testing.simulation.aws.expressions import Both, Compare, Condition, holds, parse_condition
from service_kit.testing.simulation.aws.table import Marshalled, ModelTable, Place, Write, sortable

GET_MOST, WRITE_MOST = 100, 25
"""What one batch may have."""


def _all(_: str) -> bool:
    return False


@dataclass(slots=True)
class DynamoClient:
    """Takes dictionaries and returns dictionaries, or raises. What it does not know it refuses."""

    table: ModelTable
    name: str
    left_over: Callable[[str], bool] = _all
    """Whether a batch leaves a part of it unprocessed, which it may at any time ("BatchGetItem", "BatchWriteItem")."""
    token: Callable[[], str | None] = lambda: None
    """What names the call, however often botocore sends it: it fills in `ClientRequestToken`."""

    def get_item(self, *, TableName: str, Key: Marshalled, ConsistentRead: bool = False) -> Any:
        self._is_mine(TableName)
        item = self.table.get(_place(Key), consistent=ConsistentRead)
        return {} if item is None else {"Item": item}

    def put_item(self, **request: Any) -> Any:
        return self._write("Put", request)

    def update_item(self, **request: Any) -> Any:
        return self._write("Update", request)

    def delete_item(self, **request: Any) -> Any:
        return self._write("Delete", request)

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> Any:
        writes = list[Write]()
        for action in TransactItems:
            ((kind, request),) = action.items()
            writes.append(self._one(kind, request))
        self.table.write_all(writes, self.token())
        return {}

    def query(self, *, TableName: str, KeyConditionExpression: str, **request: Any) -> Any:
        self._is_mine(TableName)
        return _page(self.table, parse_condition(KeyConditionExpression), request)

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Any:
        ((name, wanted),) = RequestItems.items()
        self._is_mine(name)
        keys = wanted["Keys"]
        check(0 < len(keys) <= GET_MOST, "Too many items requested for the BatchGetItem call")
        check(
            len({_place(key) for key in keys}) == len(keys), "Provided list of item keys contains duplicates"
        )
        done, left = self._divided("batch_get_item", keys)
        found = [self.table.get(_place(key), consistent=wanted.get("ConsistentRead", False)) for key in done]
        rest = {name: {**wanted, "Keys": left}} if left else {}
        return {"Responses": {name: [item for item in found if item is not None]}, "UnprocessedKeys": rest}

    def batch_write_item(self, *, RequestItems: Mapping[str, Any]) -> Any:
        ((name, requests),) = RequestItems.items()
        self._is_mine(name)
        check(0 < len(requests) <= WRITE_MOST, "Member must have length less than or equal to 25")
        done, left = self._divided("batch_write_item", requests)
        for request in done:
            ((kind, content),) = request.items()
            if kind != "DeleteRequest":
                raise Unmodelled(f"{kind} in a batch")
            self.table.write(Write("Delete", _place(content["Key"]), {}))
        return {"UnprocessedItems": {name: left} if left else {}}

    def _write(self, kind: str, request: dict[str, Any]) -> Any:
        returned = request.pop("ReturnValues", "NONE")
        change = self.table.write(self._one(kind, request))
        images = {"NONE": None, "ALL_OLD": change.before, "ALL_NEW": change.after}
        if returned not in images:
            raise Unmodelled(f"ReturnValues={returned}")
        image = images[returned]
        return {} if image is None else {"Attributes": image}

    def _one(self, kind: str, request: Mapping[str, Any]) -> Write:
        self._is_mine(request["TableName"])
        own = {"Put": {"Item"}, "Update": {"Key", "UpdateExpression"}, "Delete": {"Key"}}
        if kind not in own:
            raise Unmodelled(f"the action {kind}")
        shared = {"TableName", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"}
        if unknown := request.keys() - shared - own[kind]:
            raise Unmodelled(f"{kind} with {', '.join(sorted(unknown))}")
        _used_all(request)
        return Write(kind, _place(request["Item" if kind == "Put" else "Key"]), request)

    def _divided(self, call: str, parts: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        most = len(parts) // 2 if self.left_over(call) else len(parts)
        return parts[:most], parts[most:]

    def _is_mine(self, name: str) -> None:
        check(name == self.name, f"Requested resource not found: table {name}")


def _page(table: ModelTable, condition: Condition, request: dict[str, Any]) -> Any:
    known = {
        "IndexName", "ConsistentRead", "ScanIndexForward", "Limit", "ExclusiveStartKey", "ProjectionExpression",
        "ExpressionAttributeNames", "ExpressionAttributeValues",
    }  # fmt: skip
    if unknown := request.keys() - known:
        raise Unmodelled(f"query with {', '.join(sorted(unknown))}")
    index, consistent = request.get("IndexName"), request.get("ConsistentRead", False)
    check(index is None or not consistent, "Consistent reads are not supported on global secondary indexes")
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    hashed = PK if index is None else table.indexes[index].hashed
    (partition,) = (each.value for each in _conjuncts(condition) if _is_hash(each, names, hashed))
    rows = table.rows(index, values[partition], consistent=consistent)
    rows = [row for row in rows if holds(condition, row, names, values)]
    if not request.get("ScanIndexForward", True):
        rows.reverse()
    keys = table.keys_of(index)
    if (start := request.get("ExclusiveStartKey")) is not None:
        rows = _after(rows, start, keys, backwards=not request.get("ScanIndexForward", True))
    page, cut = _cut(rows, request.get("Limit"), table.page_bytes)
    if (shown := request.get("ProjectionExpression")) is not None:
        wanted = [names[name.strip()] for name in shown.split(",")]
        page = [{name: row[name] for name in wanted if name in row} for row in page]
    answer: dict[str, Any] = {"Items": page, "Count": len(page)}
    if cut:
        last = rows[len(page) - 1]
        answer["LastEvaluatedKey"] = {name: last[name] for name in keys}
    return answer


def _conjuncts(condition: Condition) -> Iterator[Compare]:
    match condition:
        case Both(left=left, right=right):
            yield from _conjuncts(left)
            yield from _conjuncts(right)
        case Compare():
            yield condition
        case _:
            return


def _is_hash(compare: Compare, names: Mapping[str, str], hashed: str) -> bool:
    return compare.sign == "=" and names[compare.name] == hashed


def _after(
    rows: list[Marshalled], start: Marshalled, keys: tuple[str, ...], *, backwards: bool
) -> list[Marshalled]:
    """Return what follows a row, which may be gone by now."""
    ranged = keys[-1]

    def place(row: Marshalled) -> Any:
        return sortable(row[ranged]), row[PK]["S"], row[SK]["S"]

    if backwards:
        return [row for row in rows if place(row) < place(start)]
    return [row for row in rows if place(row) > place(start)]


def _cut(rows: list[Marshalled], limit: int | None, page_bytes: int) -> tuple[list[Marshalled], bool]:
    """Return a page, and whether it ended before the rows did: at its limit it ends in any case."""
    size, page = 0, list[Marshalled]()
    for row in rows:
        if page and size > page_bytes:
            return page, True
        size += size_bytes(row)
        page.append(row)
        if len(page) == limit:
            return page, True
    return page, False


def _place(key: Mapping[str, Any]) -> Place:
    for name in (PK, SK):
        check("S" in key.get(name, {}) and key[name]["S"] != "", f"The key {name} is not valid")
    return key[PK]["S"], key[SK]["S"]


def _used_all(request: Mapping[str, Any]) -> None:
    """Refuse names and values that no expression uses, as DynamoDB does."""
    text = f"{request.get('ConditionExpression', '')} {request.get('UpdateExpression', '')} "
    for given in (
        *request.get("ExpressionAttributeNames", {}),
        *request.get("ExpressionAttributeValues", {}),
    ):
        unused = not any(f"{given}{end}" in text for end in (" ", ",", ")", "."))
        check(
            not unused, f"Value provided in ExpressionAttributeNames or Values unused in expressions: {given}"
        )
