"""JSON Web Tokens, verified by PyJWT; keys from the scheme or from its JWKS endpoint."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from pydantic import BaseModel, ValidationError

from service_kit.contract.security import Jwt
from service_kit.http.problems import KitProblem

logger: logging.Logger = logging.getLogger("service_kit.http")

_KEYS_FRESH_S = 300.0
_REFETCH_PAUSE_S = 10.0
"""A token with an unknown key id makes us look again, as stale keys do, but not more often than this."""


class JwtVerifier:
    """Check signature, expiry, issuer and audience of a token, and read its claims into the scheme's model."""

    def __init__(self, scheme: Jwt[Any]) -> None:
        try:
            import jwt
        except ImportError as error:  # pragma: no cover - the extra is there wherever this is tested
            raise ImportError("Jwt needs PyJWT: pip install 'service-kit[server]'") from error
        self._jwt = jwt
        self._scheme = scheme
        self._keys: dict[str, list[Any]] = {}
        """By key id; those without one under the empty text."""
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def verify(self, token: str) -> BaseModel | None:
        """Return the claims, or None if the token proves nothing; raise KitProblem while there are no keys to tell."""
        try:
            claims = self._claims(token, await self._candidates(token))
            if claims is None:
                return None
            return self._scheme.claims.model_validate(claims)  # type: ignore[no-any-return]  # the scheme's own model
        except self._jwt.PyJWTError as error:
            logger.info("token refused by scheme '%s': %s", self._scheme.name, type(error).__name__)
        except ValidationError as error:
            fields = [".".join(map(str, e["loc"])) for e in error.errors(include_input=False)]
            logger.info("token refused by scheme '%s': claims %s do not fit", self._scheme.name, fields)
        return None

    def _claims(self, token: str, keys: list[Any]) -> Any:
        """Return what the token says if one of the keys has signed it, None if there is none; raise as PyJWT does."""
        for position, key in enumerate(keys, start=1):
            try:
                return self._jwt.decode(
                    token,
                    key,
                    algorithms=list(self._scheme.algorithms),
                    audience=self._scheme.audience,
                    issuer=self._scheme.issuer,
                    leeway=self._scheme.leeway_s,
                    options={"require": ["exp"]},
                )
            except (
                self._jwt.InvalidSignatureError,
                self._jwt.InvalidAlgorithmError,
                self._jwt.InvalidKeyError,
            ):
                if position == len(keys):
                    raise
        return None

    async def _candidates(self, token: str) -> list[Any]:
        """Return the keys that may have signed a token: that of its key id, or those that have none."""
        if self._scheme.key is not None:
            return [self._scheme.key]
        key_id = self._jwt.get_unverified_header(token).get("kid", "")
        now_s = time.monotonic()
        wanted = now_s - self._fetched_at > _KEYS_FRESH_S or key_id not in self._keys
        if wanted and now_s - self._tried_at > _REFETCH_PAUSE_S:
            await self._fetch()
        if not self._keys:
            problem = KitProblem(503, "unavailable", "the issuer of the token does not answer for now")
            problem.headers["retry-after"] = f"{_REFETCH_PAUSE_S:.0f}"
            raise problem
        if not key_id:
            # A token that names no key may be any key's.
            return [key for keys in self._keys.values() for key in keys]
        return self._keys.get(key_id) or self._keys.get("", [])

    async def _fetch(self) -> None:
        import httpx

        asked_at = time.monotonic()
        async with self._fetching:
            if self._tried_at >= asked_at:
                return  # somebody else did while this one waited, whatever came of it
            assert self._scheme.jwks_url is not None
            try:
                async with httpx.AsyncClient(timeout=5.0) as client:
                    response = (await client.get(self._scheme.jwks_url)).raise_for_status()
                found = self._jwt.PyJWKSet.from_dict(response.json()).keys
            except (httpx.HTTPError, ValueError, TypeError, AttributeError, self._jwt.PyJWTError) as error:
                # Known keys stay good while the issuer cannot be reached, or does not send keys.
                logger.warning("keys of scheme '%s' cannot be fetched: %r", self._scheme.name, error)
                self._tried_at = time.monotonic()
                return
            self._keys = {}
            for key in found:
                self._keys.setdefault(key.key_id or "", []).append(key)
            self._fetched_at = self._tried_at = time.monotonic()
