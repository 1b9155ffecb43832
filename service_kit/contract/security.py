"""Security schemes: who may call, and how a caller proves who he is.

Declared once, a scheme is enforced by the HTTP room and appears in the specification, the manifest and
the deployment. `scheme.caller()` gives commands the authenticated caller with his own type.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ConfigDict

from service_kit.contract.exchange import present_request
from service_kit.errors import DefinitionError

C = TypeVar("C")
M = TypeVar("M", bound=BaseModel)

Verify: TypeAlias = Callable[[str], Awaitable[C | None]]
"""An async function from the secret as sent to the caller, or to None for nobody.

Compare secrets with `hmac.compare_digest`.
"""

_admitted: ContextVar[tuple[object, object, object]] = ContextVar("service_kit_admitted")


class Scheme(Generic[C]):
    """What all schemes share: the caller whom they admitted."""

    kind: ClassVar[str]

    def caller(self) -> C:
        """Return the caller of the request being served; raise LookupError if another scheme, or none, admitted him."""
        scheme, caller, request = _admitted.get((None, None, None))
        # Servers may begin a pipelined request in the context of the one before.
        if scheme is not self or request is not present_request():
            raise LookupError(f"{self!r} has not admitted the caller of this request")
        return cast(C, caller)

    def admit(self, caller: C) -> None:
        """Make `caller` the one that `caller()` returns for the rest of this request; for enforcement and tests."""
        _admitted.set((self, caller, present_request()))


def _check_verify(name: str, verify: Callable[..., Any]) -> None:
    if inspect.isfunction(verify) and not inspect.iscoroutinefunction(verify):
        raise DefinitionError(f"scheme '{name}'", "its verify is a sync function", "write 'async def'")


@dataclass(frozen=True, slots=True)
class OAuth:
    """Where callers get their tokens: the authorization code flow (RFC 6749 section 4.1) of your provider."""

    authorization_url: str
    """Where a browser takes the user, to consent."""
    token_url: str
    scopes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What to ask for, with what each scope allows."""


@dataclass(frozen=True, eq=False)
class Bearer(Scheme[C]):
    """`Authorization: Bearer <token>`, judged by your `verify`.

    Agents' catalogues are told whose the token is: one of the catalogue's own for all of its users, or with `per_user`
    one that each user brings, or with `oauth` one that each user is given by your provider.
    """

    verify: Verify[C]
    name: str = "bearer"
    description: str = ""
    per_user: bool = False
    oauth: OAuth | None = None
    kind: ClassVar[str] = "bearer"

    def __post_init__(self) -> None:
        _check_verify(self.name, self.verify)

    def __repr__(self) -> str:
        return f"Bearer(name={self.name!r})"


@dataclass(frozen=True, eq=False)
class Jwt(Scheme[M]):
    """`Authorization: Bearer <JWT>`: signature, expiry, issuer and audience checked by PyJWT, claims by a model.

    Give `key` (a secret or a PEM public key) or `jwks_url` (keys are fetched and cached). `exp` is required.
    """

    claims: type[M]
    issuer: str
    audience: str
    key: str | None = None
    jwks_url: str | None = None
    algorithms: Sequence[str] = ("RS256", "ES256")
    leeway_s: float = 30.0
    name: str = "jwt"
    description: str = ""
    per_user: bool = False
    """As of a Bearer."""
    oauth: OAuth | None = None
    kind: ClassVar[str] = "jwt"

    def __post_init__(self) -> None:
        if (self.key is None) == (self.jwks_url is None):
            raise DefinitionError(
                f"scheme '{self.name}'", "it needs one source of keys", "give key or jwks_url"
            )
        if "none" in {algorithm.lower() for algorithm in self.algorithms}:
            raise DefinitionError(f"scheme '{self.name}'", "algorithm 'none' admits everybody", "take it out")
        if self.jwks_url and any(algorithm.startswith("HS") for algorithm in self.algorithms):
            raise DefinitionError(
                f"scheme '{self.name}'", "a published key cannot sign HS tokens", "use key instead"
            )

    def __repr__(self) -> str:
        return f"Jwt(name={self.name!r}, issuer={self.issuer!r})"


@dataclass(frozen=True, eq=False)
class ApiKey(Scheme[C]):
    """A key in a header, the query string or a cookie, judged by your `verify`."""

    verify: Verify[C]
    parameter: str = "X-API-Key"
    location: Literal["header", "query", "cookie"] = "header"
    name: str = "apiKey"
    description: str = ""
    kind: ClassVar[str] = "apiKey"

    def __post_init__(self) -> None:
        _check_verify(self.name, self.verify)

    def __repr__(self) -> str:
        return f"ApiKey(name={self.name!r}, {self.location} {self.parameter!r})"


class IamCaller(BaseModel):
    """An AWS principal, as API Gateway authenticated it by SigV4."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="ignore")

    user_arn: str
    account_id: str


@dataclass(frozen=True, eq=False)
class AwsIam(Scheme[IamCaller]):
    """AWS Signature Version 4, checked by API Gateway before the service is reached; nobody is admitted elsewhere."""

    name: str = "awsIam"
    description: str = ""
    kind: ClassVar[str] = "awsIam"


AnyScheme: TypeAlias = Bearer[Any] | Jwt[Any] | ApiKey[Any] | AwsIam
