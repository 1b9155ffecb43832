"""The outbox of commands, tasks and handlers: events stored by one write, which leave it when the bus has them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from service_kit.hosts.aws.host import AwsHost
from service_kit.runtime.records import Publish
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.deliveries import DynamoDeliveries
from service_kit.stores.dynamodb.due import entries
from service_kit.stores.dynamodb.keys import DUE_AT, DUE_PK, PK, SK, outbox_place, shards, unpublished_pk
from service_kit.stores.dynamodb.outbox import decode_publish, encode_publish
from service_kit.stores.dynamodb.table import Table, delete, put
from service_kit.stores.dynamodb.values import Item


class Outbox(DynamoDeliveries):
    """Deliveries whose events go by way of the table's stream and the bus; the rest is as ever."""

    def __init__(self, table: Table, bodies: Bodies) -> None:
        super().__init__(table, bodies)
        self._outbox = table, bodies

    async def publish(self, events: Sequence[Publish]) -> None:
        """Store events in one item, so that all are published or none."""
        if not events:
            return
        table, bodies = self._outbox
        first = events[0].event
        text = json.dumps([encode_publish(event) for event in events], ensure_ascii=False)
        pk, sk = outbox_place(first.id)
        item = {
            PK: pk,
            SK: sk,
            "events": await bodies.pack(text, first.id),
            DUE_PK: unpublished_pk(first.id),
            DUE_AT: first.time_s,
        }
        await table.write(put(item))


async def bring_to_bus(host: AwsHost, item: Item) -> None:
    """Publish the events of an item, and then delete it: they come at least once, whoever dies of it."""
    text = await host.store.bodies.unpack(item["events"])
    await host.bus.put([decode_publish(row).event for row in json.loads(text)])
    await host.store.table.write(delete((str(item[PK]), str(item[SK]))))


async def unpublished(host: AwsHost, before_s: float, limit: int) -> Sequence[Item]:
    """Return items of before a time, the oldest of them: the stream has given them up, or is late."""
    table = host.store.table
    found = await entries(table, shards("o"), before_s, limit)
    return await table.get_many((str(entry[PK]), str(entry[SK])) for entry in found[:limit])
