"""What an API has to lead to the service: the routes of commands, documents and raw routes, and who admits to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from service_kit.contract.command import AnyCommand
from service_kit.contract.route import RPC_PREFIX
from service_kit.contract.security import AnyScheme, AwsIam, Jwt
from service_kit.contract.service import ServiceContract
from service_kit.errors import DefinitionError
from service_kit.http.documents import Documents
from service_kit.http.options import HttpOptions

METADATA_PATH = "/.well-known/oauth-protected-resource"
"""Where clients of MCP learn who issues tokens (RFC 9728)."""

Admission: TypeAlias = "Literal['open', 'iam'] | Jwt[Any]"
"""Who asks for the caller's credentials before a function is called: nobody, IAM, or a JWT authorizer."""


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """A method and a path; a raw route has neither and takes what no other takes."""

    method: str
    path: str
    command: AnyCommand | None
    admission: Admission
    label: str
    """Unique among routes: what the resource is named after."""

    @property
    def catches_all(self) -> bool:
        return not self.path


def api_routes(
    contract: ServiceContract, api: Literal["http", "rest"], *, mcp: bool, durable: bool
) -> Iterator[ApiRoute]:
    """Return the routes in the order of the service's class, RPC and REST faces together; raise DefinitionError."""
    taken: set[tuple[str, str]] = set()
    for declared in contract.commands.values():
        admission = _admission(f"command '{declared.name}'", contract.security_of(declared), api)
        yield ApiRoute("POST", RPC_PREFIX + declared.name, declared, admission, f"{declared.name} rpc")
        if declared.route is not None:
            taken.add((declared.route.method, declared.route.path))
            yield ApiRoute(declared.route.method, declared.route.path, declared, admission, declared.name)
    if durable:
        schemes = list(dict.fromkeys([*contract.security, *contract.management]))
        admission = _admission("the management API", schemes, api)
        # Two routes for all of it, and the function judges each call: an HTTP API holds 300.
        yield ApiRoute("POST", f"{RPC_PREFIX}{{command}}", None, admission, "management rpc")
        yield ApiRoute("ANY", "/_system/{proxy+}", None, admission, "management")
    if mcp:
        # The function judges each tool by its command's schemes.
        yield ApiRoute("POST", "/mcp", None, "open", "mcp")
        if any(scheme.kind == "jwt" for scheme in contract.schemes.values()):
            for path in ("", "/mcp"):
                yield ApiRoute("GET", f"{METADATA_PATH}{path}", None, "open", f"{METADATA_PATH}{path}")
    # Without the page at /docs: its assets belong to the extra `server`, which no function needs.
    for path, _ in Documents(contract, HttpOptions(docs=False), lambda: None).routes():
        if ("GET", path) not in taken:
            yield ApiRoute("GET", path, None, "open", path)
    if contract.routes:
        yield ApiRoute("ANY", "", None, _admission("raw routes", contract.security, api), "raw")


def _admission(where: str, schemes: Sequence[AnyScheme], api: Literal["http", "rest"]) -> Admission:
    """Return what the API itself can check; the function checks its schemes in any case."""
    iam = [scheme for scheme in schemes if isinstance(scheme, AwsIam)]
    if iam and len(schemes) > 1:
        others = ", ".join(f"'{scheme.name}'" for scheme in schemes if scheme not in iam)
        raise DefinitionError(
            where,
            f"it admits callers by '{iam[0].name}' or {others}, and API Gateway checks signatures of all callers "
            "of a route or of none",
            "offer the same function as two commands, one for each",
        )
    if iam:
        return "iam"
    if api == "http" and len(schemes) == 1 and isinstance(schemes[0], Jwt) and _known_to_gateway(schemes[0]):
        return schemes[0]
    return "open"


def _known_to_gateway(scheme: Jwt[Any]) -> bool:
    """Tell whether an HTTP API's authorizer accepts all that the scheme accepts: keys by discovery, RSA only.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    by_discovery = scheme.jwks_url is not None and scheme.issuer.startswith("https://")
    return by_discovery and all(algorithm.startswith("RS") for algorithm in scheme.algorithms)
