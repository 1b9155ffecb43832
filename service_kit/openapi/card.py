"""The agent card of A2A 1.0: what `/.well-known/agent-card.json` says where a service asks for it."""

from __future__ import annotations

from copy import deepcopy
from typing import assert_never

from service_kit.contract.command import AnyCommand
from service_kit.contract.plugin import AgentCard
from service_kit.contract.security import AnyScheme, ApiKey, AwsIam, Bearer, Jwt, OAuth
from service_kit.contract.service import ServiceContract
from service_kit.openapi.manifest import absolute, human_name, model_description, schemes_in_use
from service_kit.openapi.schemas import Json

_MODES = ["application/json"]


def build_agent_card(contract: ServiceContract, card: AgentCard, *, url: str) -> Json:
    """Return the card.

    Source: the A2A protocol's specification 1.0, section "AgentCard"; members are named as its JSON has them.
    """
    skilled = [
        contract.commands[name] for name in (contract.commands if card.skills is None else card.skills)
    ]
    built: Json = {
        "name": human_name(contract),
        "description": model_description(contract),
        "version": contract.version,
        "supportedInterfaces": [
            {"url": absolute(i.url, url), "protocolBinding": i.binding, "protocolVersion": i.version}
            for i in card.interfaces
        ],
        "capabilities": {"streaming": card.streaming, "pushNotifications": card.push_notifications},
        "defaultInputModes": _MODES,
        "defaultOutputModes": _MODES,
        "documentationUrl": absolute("/llms.txt", url),
        "iconUrl": absolute(contract.plugin.logo_url, url),
        "skills": [_skill(declared) for declared in skilled],
    }
    schemes = {
        scheme.name: described for scheme in schemes_in_use(contract) if (described := _scheme(scheme))
    }
    if schemes:
        built["securitySchemes"] = schemes
        built["securityRequirements"] = [{"schemes": {name: {"list": []}}} for name in schemes]
    return {**deepcopy(card.extra), **built}


def _skill(declared: AnyCommand) -> Json:
    return {
        "id": declared.name,
        "name": declared.name.replace("_", " ").capitalize(),
        "description": declared.description or declared.summary,
        # The protocol requires some.
        "tags": list(declared.options.get("tags") or [declared.name]),
    }


def _scheme(scheme: AnyScheme) -> Json | None:
    """Return a scheme as the protocol has it, or None if it has no words for it."""
    match scheme:
        case Bearer(oauth=OAuth() as oauth) | Jwt(oauth=OAuth() as oauth):
            flow: Json = {
                "authorizationUrl": oauth.authorization_url,
                "tokenUrl": oauth.token_url,
                "scopes": dict(oauth.scopes),
            }
            return {"oauth2SecurityScheme": {"flows": {"authorizationCode": flow}}}
        case Bearer():
            return {"httpAuthSecurityScheme": {"scheme": "bearer"}}
        case Jwt():
            return {"httpAuthSecurityScheme": {"scheme": "bearer", "bearerFormat": "JWT"}}
        case ApiKey():
            return {"apiKeySecurityScheme": {"location": scheme.location, "name": scheme.parameter}}
        case AwsIam():
            return None
        case _:
            assert_never(scheme)
