"""The secret that signs the tokens of tasks: made once for each table, and shared by its processes."""

from __future__ import annotations

import secrets

from service_kit.stores.dynamodb.keys import PK, SK
from service_kit.stores.dynamodb.table import Table, put

_PLACE = "secret", "tokens"


async def token_secret(table: Table) -> bytes:
    """Return the secret, which the first who asks makes."""
    found = await table.get(_PLACE)
    if found is None:
        item = {PK: _PLACE[0], SK: _PLACE[1], "value": secrets.token_bytes(32)}
        await table.write(put(item, f"attribute_not_exists(#{SK})"))
        found = await table.get(_PLACE)
    assert found is not None, "it was stored just now"
    value = found["value"]
    assert isinstance(value, bytes), "a secret is bytes"
    return value
