"""Who may send messages to `/mcp`, and what the others are told.

A tool's call is checked by the command's own schemes, on its way to the command. What is before it (the handshake,
lists, documents) needs a scheme, too, unless somebody without one can call something.
"""

from __future__ import annotations

from service_kit.contract.exchange import Request, Response
from service_kit.contract.security import Jwt
from service_kit.contract.service import ServiceContract
from service_kit.errors import Refusal
from service_kit.http.origins import is_local, is_loopback, origin_of
from service_kit.http.security import Gate

METADATA_PATH = "/.well-known/oauth-protected-resource"
"""RFC 9728, section 3."""


class Access:
    """The checks of one service."""

    def __init__(self, contract: ServiceContract, url: str | None) -> None:
        self._contract = contract
        self._url = url
        self._gate = _gate(contract)
        self._issuers = [
            scheme.issuer
            for scheme in contract.schemes.values()
            if isinstance(scheme, Jwt) and scheme.issuer.startswith(("https://", "http://"))
        ]

    def check_origin(self, request: Request) -> None:
        """Raise Refusal for a page that is neither the service's own nor one that its CORS allows.

        The protocol asks for it: a page whose name was pointed at this machine (DNS rebinding) is of the same origin
        to its browser.
        """
        origin = request.header(b"origin")
        if origin is None or is_local(origin) or (self._contract.cors and self._contract.cors.allows(origin)):
            return
        own = origin_of(self._url or request.base_url)
        from_outside = not is_loopback(request.client[0] if request.client else "")
        if origin == own and (self._url is not None or from_outside):
            return
        raise Refusal(403, f"pages of {origin} may not use this service; name it in cors=Cors(origins=[...])")

    async def admit(self, request: Request) -> None:
        """Let the request pass, or raise the 401 that says how to prove oneself."""
        if self._gate is not None:
            await self._gate.admit(request)

    def challenge(self, refusal: Response, request: Request) -> Response:
        """Return a 401 that leads to the authorization server, if one is known."""
        if self._issuers:
            metadata = f"{self._base(request)}{METADATA_PATH}/mcp"
            refusal.set_header("www-authenticate", f'Bearer resource_metadata="{metadata}"')
        return refusal

    def metadata(self, request: Request) -> dict[str, object]:
        """Return the description of `/mcp` as a protected resource (RFC 9728)."""
        return {
            "resource": f"{self._base(request)}/mcp",
            "authorization_servers": list(dict.fromkeys(self._issuers)),
            "bearer_methods_supported": ["header"],
            "resource_name": self._contract.title,
        }

    def _base(self, request: Request) -> str:
        return (self._url or request.base_url).rstrip("/")


def _gate(contract: ServiceContract) -> Gate | None:
    needed = [contract.security_of(command) for command in contract.commands.values()]
    if contract.workflows:
        needed.append(contract.security)
    if not all(needed):
        return None
    schemes = {scheme.name: scheme for some in needed for scheme in some}
    return Gate(list(schemes.values())) if schemes else None
