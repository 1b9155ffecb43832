"""The futures of `asyncio.gather`, in workflows, hash by the first that they gather.

They are a class of asyncio's own, which makes them without asking the loop: `asyncio.wait` of several gathers would
put them into a set by their addresses, and give them back in another order in every replay.
"""

from __future__ import annotations

import asyncio
from typing import Any

from .forbidden import ClosedLoop

__all__ = ["install_gather"]

_gathering: Any = asyncio.tasks._GatheringFuture  # type: ignore[attr-defined]  # typeshed leaves it out


def install_gather() -> None:
    """Give them their hash, unless they have one of somebody else's. Outside of workflows it is what it was."""
    if _gathering.__hash__ is object.__hash__:
        _gathering.__hash__ = _hash


def _hash(gathered: Any) -> int:
    if isinstance(gathered.get_loop(), ClosedLoop):
        return hash(gathered._children[0])  # there is one: for none, asyncio gives a future of the loop
    return object.__hash__(gathered)
