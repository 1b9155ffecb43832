"""`tools(client)`: the one function that agents' authors call."""

from __future__ import annotations

from collections.abc import Collection

from langchain_core.tools import StructuredTool

from client_kit.auth import Auth
from client_kit.errors import InvalidOption
from client_kit.langchain.streams import StreamLimits
from client_kit.langchain.structured import tools_of_client, tools_of_service
from client_kit.tools import RemoteService


def tools(
    source: object,
    *,
    names: Collection[str] | None = None,
    auth: Auth | None = None,
    stream_limits: StreamLimits | None = None,
) -> list[StructuredTool]:
    """Return a tool for each command of a service, for sync and async agents; `names` chooses some.

    `source` is a typed client, what `connect(Orders, url)` gives: arguments are validated against the types of the
    contract, and the result, with its type, is the `artifact` of the tool's message. Or it is a URL: the service's
    OpenAPI document is read at once, and `auth` admits the calls; in async code open a `RemoteService` instead
    (`async with RemoteService(url, auth=...) as service`), give it here, and its end closes the connections.

    Declared errors, and input that the service refuses, are told to the model as the tool's answer, with
    `status="error"`; whatever the model cannot mend (401, 403, 5xx, the network, drift) is raised to the program.
    """
    limits = stream_limits or StreamLimits()
    if isinstance(source, str):
        service = RemoteService(source, auth=auth)
        service.load()
        found = tools_of_service(service, limits)
    elif auth is not None:
        raise InvalidOption(
            "auth", "is given beside a client", "give it to connect(...), or to RemoteService(...)"
        )
    elif isinstance(source, RemoteService):
        found = tools_of_service(source, limits)
    else:
        found = tools_of_client(source, limits)
    return found if names is None else _chosen(found, names)


def _chosen(found: list[StructuredTool], names: Collection[str]) -> list[StructuredTool]:
    known = {tool.name for tool in found}
    for name in names:
        if name not in known:
            raise InvalidOption("names", f"has '{name}'", f"choose from {', '.join(sorted(known))}")
    return [tool for tool in found if tool.name in names]
