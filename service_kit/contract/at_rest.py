"""How a service's payloads look at rest: in stores, queues and buckets, whichever host runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias


class Codec(Protocol):
    """A way of writing payloads: compressed, encrypted, or both. Called in the event loop, so it should be quick."""

    @property
    def name(self) -> str:
        """Stands before what it has written, for ever: letters, digits, dashes. Of a key, name its version, too."""
        ...

    def encode(self, data: bytes) -> bytes | None:
        """Return what is to be stored; None leaves this payload as it is."""
        ...

    def decode(self, data: bytes) -> bytes:
        """Return what `encode` was given."""
        ...


MakeCodecs: TypeAlias = Callable[[], Sequence[Codec]]
"""Returns the codecs: the first one writes, all of them read, and so is what was written without any.

Hosts call it, once in a process, before anything is stored or read: keys are fetched there. A program that only
calls the service imports the same class, and needs no keys.
"""
