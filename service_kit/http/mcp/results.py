"""Results of tools: structured content for programs, and the same as text for those who read texts."""

from __future__ import annotations

from typing import Any

import mcp_types as types
from pydantic_core import from_json, to_json

from service_kit.contract.exchange import Response
from service_kit.http.mcp.calls import media_type


def succeeded(text: str, structured: Any = None) -> types.CallToolResult:
    """Return the result of a call that went well."""
    return types.CallToolResult(content=[_text(text)], structured_content=structured)


def structured(value: Any) -> types.CallToolResult:
    """Return an object as a result."""
    return succeeded(to_json(value).decode(), value)


def failed(response: Response) -> types.CallToolResult:
    """Return the result of a call that failed: the problem, with the fields of a declared error."""
    text = response.body.decode("utf-8", "replace")
    problem = from_json(response.body) if media_type(response).endswith("json") else None
    return types.CallToolResult(
        content=[_text(text or f"the service answered with status {response.status}")],
        structured_content=problem if isinstance(problem, dict) else {"status": response.status},
        is_error=True,
    )


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)
