"""What the client reads of a contract, as Protocols: whoever fulfils them can be called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

__all__ = ["CommandContract", "ErrorContract", "RestContract", "RestRequest", "rest_of"]


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


@dataclass(frozen=True, slots=True)
class RestRequest:
    """A call as its REST route takes it."""

    method: str
    target: str
    """Path and query, to be put after the service's URL; percent-encoded."""
    headers: Mapping[str, str]
    body: bytes


class RestContract(CommandContract, Protocol):
    """A command that is called at its own route: of a service that is known by its OpenAPI document alone."""

    @property
    def path(self) -> str: ...

    @property
    def errors_by_status(self) -> Mapping[int, ErrorContract]:
        """The documented errors that are no problems of the wire protocol; each decodes a whole body."""
        ...

    def encode_request(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> RestRequest:
        """Return the request of a call; raise TypeError for arguments that do not fit the signature."""
        ...

    def decode_answer(self, media_type: str, body: bytes) -> Any:
        """Return the result from a body of any kind; raise ValueError if it does not fit."""
        ...


def rest_of(contract: CommandContract) -> RestContract | None:
    """Return the contract as one of a REST route, None if it speaks the wire protocol."""
    return cast(RestContract, contract) if hasattr(contract, "encode_request") else None
