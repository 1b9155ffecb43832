"""boto3's clients, as this store wants them."""

from __future__ import annotations

from typing import Any

from service_kit.stores.dynamodb.table import CONNECTIONS


def dynamodb_client(**options: Any) -> Any:
    """Return a client that waits briefly and tries again adaptively; `options` go on to boto3.

    A call of DynamoDB takes milliseconds: one that has not answered within seconds is better asked again.
    """
    # Imported here, and so only where there is a table.
    import boto3  # type: ignore[import-untyped] # it has no types
    from botocore.config import Config  # type: ignore[import-untyped] # nor has this

    config = Config(
        connect_timeout=2,
        read_timeout=5,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "adaptive", "total_max_attempts": 8},
    )
    return boto3.client("dynamodb", config=config, **options)
