"""Telling one's own write from another's, where a condition does not hold.

An answer that is lost on its way makes boto3 ask again, and what was done then stands in the way of itself.
"""

from __future__ import annotations

from typing import Any

from service_kit.runtime.records import Claim
from service_kit.stores.dynamodb.keys import DUE_AT, TTL


def is_claimed_by(item: Any, claim: Claim) -> bool:
    """Tell whether an item is held under this very claim, whose owner has made no other one."""
    return item is not None and item.get("owner") == claim.owner and item.get("until") == claim.until_s


def is_given_up_by(item: Any, claim: Claim, owner: str | None, at_s: float) -> bool:
    """Tell whether an item was given up under this claim, to `owner` or to nobody, until a time.

    Who holds a claim changes its item alone, until another one has a claim of its own, with another epoch.
    """
    return (
        item is not None
        and item.get("epoch") == claim.epoch
        and item.get("owner") == owner
        and item.get(DUE_AT) == at_s
        and not item.keys() & {"done", "answer", "failure", TTL}
    )
