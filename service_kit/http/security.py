"""Enforcement of security schemes: who is admitted, and what the others are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from service_kit.contract.exchange import Next, Request, Response
from service_kit.contract.security import AnyScheme, ApiKey, AwsIam, Bearer, IamCaller, Jwt
from service_kit.http.forgery import is_forgeable
from service_kit.http.jwt import JwtVerifier
from service_kit.http.problems import KitProblem

if TYPE_CHECKING:
    from service_kit.contract.cors import Cors

Verifier: TypeAlias = Callable[[str], Awaitable[Any]]


class Gate:
    """Admit a request if one of the schemes does."""

    def __init__(self, schemes: Sequence[AnyScheme], cors: Cors | None = None) -> None:
        self._cors = cors
        self._ways = [(scheme, _verifier(scheme)) for scheme in schemes]

    def guard(self, inner: Next) -> Next:
        """Return `inner` behind this gate."""

        async def guarded(request: Request) -> Response:
            await self.admit(request)
            return await inner(request)

        return guarded

    async def admit(self, request: Request) -> None:
        """Make the caller known to his scheme; raise the 401 that tells how to prove oneself."""
        for scheme, verify in self._ways:
            proof = _proof(scheme, request)
            if proof is None:
                continue
            if _is_cookie(scheme) and is_forgeable(request, self._cors):
                continue  # a browser sends its cookies whoever makes it send something
            caller = _iam_caller(request) if verify is None else await verify(proof)
            if caller is not None:
                scheme.admit(caller)
                request.principal = f"{scheme.name}:{_digest(scheme, proof, caller)}"
                return
        raise self._refusal()

    def _refusal(self) -> KitProblem:
        wanted = " or ".join(_how(scheme) for scheme, _ in self._ways)
        problem = KitProblem(401, "unauthenticated", f"the caller is not known; send {wanted}")
        challenges = list(dict.fromkeys(c for scheme, _ in self._ways if (c := _challenge(scheme))))
        if challenges:
            problem.headers["www-authenticate"] = ", ".join(challenges)
        return problem


def _is_cookie(scheme: AnyScheme) -> bool:
    return isinstance(scheme, ApiKey) and scheme.location == "cookie"


def _verifier(scheme: AnyScheme) -> Verifier | None:
    match scheme:
        case Jwt():
            return JwtVerifier(scheme).verify
        case Bearer() | ApiKey():
            return scheme.verify
        case AwsIam():
            return None


def _proof(scheme: AnyScheme, request: Request) -> str | None:
    """Return what the request offers to this scheme, if anything."""
    match scheme:
        case Bearer() | Jwt():
            kind, _, token = (request.header(b"authorization") or "").partition(" ")
            return token.strip() or None if kind.lower() == "bearer" else None
        case ApiKey(location="header"):
            return request.header(scheme.parameter.lower().encode("latin-1")) or None
        case ApiKey(location="query"):
            return next((value for name, value in request.query if name == scheme.parameter and value), None)
        case ApiKey():
            return _cookie(request, scheme.parameter)
        case AwsIam():
            return "gateway" if _iam_caller(request) else None


def _cookie(request: Request, name: str) -> str | None:
    """Return the value of a cookie; other parties' beside it may be anything, JSON too."""
    from http.cookies import SimpleCookie

    value = ""
    for pair in request.headers.get("cookie", "").split(";"):
        key, _, text = pair.partition("=")
        if key.strip() == name:
            # Of a whole header, the library's parser keeps what stands before the first cookie that it dislikes.
            value, _ = SimpleCookie().value_decode(text.strip())
    return value or None


def _iam_caller(request: Request) -> IamCaller | None:
    """Read the principal from the gateway's own words; a caller's headers never get here."""
    iam = (request.identity or {}).get("iam")
    if not isinstance(iam, dict) or not iam.get("userArn"):
        return None
    return IamCaller(user_arn=str(iam["userArn"]), account_id=str(iam.get("accountId", "")))


def _digest(scheme: AnyScheme, proof: str, caller: Any) -> str:
    """Name the caller without keeping his secret: a new token of one subject is the same caller."""
    subject = getattr(caller, "sub", None) if isinstance(scheme, Jwt) else None
    if isinstance(caller, IamCaller):
        subject = caller.user_arn
    return sha256((str(subject) if subject else proof).encode()).hexdigest()[:32]


def _how(scheme: AnyScheme) -> str:
    match scheme:
        case Bearer() | Jwt():
            return "'Authorization: Bearer <token>'"
        case ApiKey():
            return f"the key as {scheme.location} '{scheme.parameter}'"
        case AwsIam():
            return "an AWS Signature Version 4"


def _challenge(scheme: AnyScheme) -> str | None:
    """Return the challenge of RFC 9110 section 11.6.1; API keys have none registered."""
    return "Bearer" if isinstance(scheme, Bearer | Jwt) else None
