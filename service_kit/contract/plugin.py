"""What an agent's catalogue wants to know of a service: the data of `/.well-known/ai-plugin.json`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field


class PluginAuth(BaseModel):
    """The manifest's `auth`, where it says more than the service's security schemes."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", frozen=True)

    type: Literal["none", "user_http", "service_http", "oauth"]


class AgentInterface(BaseModel):
    """Where an agent of yours answers by A2A; the framework serves none."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    url: str
    """Absolute, or a path under the service's URL."""
    binding: str = "JSONRPC"
    """`JSONRPC`, `GRPC`, `HTTP+JSON`, or one of your own."""
    version: str = "1.0"
    """Of the protocol."""


class AgentCard(BaseModel):
    """Asks for a card at `/.well-known/agent-card.json`: other agents find yours, with the commands as its skills."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    interfaces: Annotated[tuple[AgentInterface, ...], Field(min_length=1)]
    """The first one is preferred."""
    skills: tuple[str, ...] | None = None
    """Names of commands; without it, all of them."""
    streaming: bool = False
    push_notifications: bool = False
    extra: dict[str, Any] = {}
    """More members, such as `provider`, copied as they are."""


class Plugin(BaseModel):
    """Fields of the plugin manifest, version 1; whatever is absent is taken from the service.

    LangChain's `AIPluginTool` refuses a manifest without `logo_url`, `contact_email` or `legal_info_url`,
    so these are always served; set your own before you publish.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    name_for_model: Annotated[str | None, Field(max_length=50, pattern=r"^[A-Za-z0-9_]+$")] = None
    name_for_human: Annotated[str | None, Field(max_length=20)] = None
    description_for_model: Annotated[str | None, Field(max_length=8000)] = None
    description_for_human: Annotated[str | None, Field(max_length=100)] = None
    auth: PluginAuth | None = None
    logo_url: str = "/logo.svg"
    """Absolute, or a path under the service's URL."""
    contact_email: str = "support@example.com"
    legal_info_url: str = "/legal"
    agent_card: AgentCard | None = None
    extra: dict[str, Any] = {}
    """Members beyond version 1, copied as they are."""
