"""One change, as it is told to people and to programs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["service", "command", "webhook", "event", "signal", "state", "workflow", "task"]


class Verdict(StrEnum):
    """A breaking change makes something fail that worked before; what cannot be decided counts as breaking."""

    BREAKING = "breaking"
    SAFE = "safe"


class Direction(StrEnum):
    """Who writes the value: in a request those outside, in a response the service."""

    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class Change:
    """What is different in one thing, and what that does to those who use it."""

    verdict: Verdict
    rule: str
    """Names the kind of change, for programs: `property-removed`."""
    kind: Kind
    name: str
    """Of the command, event, ... that has changed; its old one if that has changed, too."""
    place: str
    """Where in it: `quantity`, `result.items[].sku`; empty for the whole."""
    message: str
    """A sentence for people, in Markdown."""
