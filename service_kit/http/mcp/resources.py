"""What a service says of itself, for agents to read: its description, and the documents that it serves."""

from __future__ import annotations

from typing import NamedTuple

import mcp_types as types

from service_kit.http.mcp.calls import Caller, Calls


class _Served(NamedTuple):
    path: str
    media_type: str
    title: str


_SERVED = (
    _Served("/openapi.json", "application/json", "OpenAPI 3.1 of {}"),
    _Served("/llms.txt", "text/markdown", "What agents need to know of {}"),
)


class Resources:
    """The documents, each by a URI that stays the same wherever the service is served."""

    def __init__(self, calls: Calls) -> None:
        contract = calls.application.contract
        self._calls = calls
        self._root = f"service-kit://{contract.name}"
        self._served = [document for document in _SERVED if calls.has("GET", document.path)]
        told = contract.plugin.description_for_model or contract.description
        self.description: str = f"# {contract.title} {contract.version}\n\n{told}".rstrip() + "\n"

    def listed(self) -> list[types.Resource]:
        """Return what there is to read."""
        title = self._calls.application.contract.title
        about = types.Resource(
            uri=f"{self._root}/description",
            name="description",
            title=f"What {title} is",
            mime_type="text/markdown",
            size=len(self.description.encode()),
        )
        served = [
            types.Resource(
                uri=self._root + document.path,
                name=document.path.lstrip("/"),
                title=document.title.format(title),
                mime_type=document.media_type,
            )
            for document in self._served
        ]
        return [about, *served]

    async def read(self, uri: str, caller: Caller) -> types.TextResourceContents | None:
        """Return a document as this caller would get it over HTTP; None if there is none of this URI."""
        if uri == f"{self._root}/description":
            return types.TextResourceContents(uri=uri, mime_type="text/markdown", text=self.description)
        for document in self._served:
            if uri == self._root + document.path:
                text = await self._calls.document(caller, document.path)
                return types.TextResourceContents(uri=uri, mime_type=document.media_type, text=text)
        return None
