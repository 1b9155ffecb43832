"""A whole store with packed payloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service_kit.contract.at_rest import Codec
from service_kit.runtime.ports import Stores
from service_kit.stores.packed.codec import Codecs
from service_kit.stores.packed.deliveries import PackedDeliveries, PackedLetters
from service_kit.stores.packed.executions import PackedExecutions, PackedIndex
from service_kit.stores.packed.packer import Packer
from service_kit.stores.packed.tasks import PackedTasks

LARGE_BYTES = 200_000


def packed_stores(
    stores: Stores, now_s: Callable[[], float], codecs: Sequence[Codec] = (), large_bytes: int = LARGE_BYTES
) -> Stores:
    """Return the same store, whose payloads are written by the first codec and read by any of them.

    What is larger than `large_bytes` as it is written lies among the blobs, if the store has any.
    """
    packer = Packer(Codecs(codecs), stores.blobs, large_bytes, now_s)
    return Stores(
        PackedExecutions(stores.executions, packer),
        PackedIndex(stores.index, packer),
        PackedTasks(stores.tasks, packer),
        PackedDeliveries(stores.deliveries, packer),
        PackedLetters(stores.letters, packer),
        stores.schedule,
        stores.retention,
        stores.blobs,
    )
