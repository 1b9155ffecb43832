"""What the client reads of a contract, as Protocols: whoever fulfils them can be called.

`service_kit` commands do, and so do contracts generated from a specification. Nothing here knows either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

__all__ = ["CommandContract", "ErrorContract"]


class ErrorContract(Protocol):
    """A declared error's class."""

    def decode_fields(self, members: Mapping[str, Any], /) -> Exception:
        """Return the error with the fields among a problem's members; raise ValueError if they do not fit."""
        ...


class CommandContract(Protocol):
    """One command: its name, its kind, its errors and its codecs."""

    @property
    def name(self) -> str: ...
    @property
    def streaming(self) -> bool:
        """Whether it answers with a stream of items."""
        ...

    @property
    def idempotent(self) -> bool:
        """Whether a repeated call does no more than a single one."""
        ...

    @property
    def errors(self) -> Mapping[str, ErrorContract]:
        """The declared errors by name."""
        ...

    def encode_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
        """Return the body of a call; raise TypeError for arguments that do not fit the signature."""
        ...

    def decode_result(self, body: bytes) -> Any:
        """Return the result, or one item of a stream, from its JSON; raise ValueError if it does not fit."""
        ...
