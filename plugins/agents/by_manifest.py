"""Tools from the plugin manifest: LangChain's plugin tool, which guides to the specification, and plain requests."""

from __future__ import annotations

import warnings
from typing import Any

# The package is archived and says so at import; what it reads is what other readers of plugins read.
warnings.filterwarnings("ignore", category=DeprecationWarning)

from langchain_community.tools import AIPluginTool, RequestsGetTool, RequestsPostTool  # noqa: E402
from langchain_community.utilities.requests import TextRequestsWrapper  # noqa: E402
from langchain_core.tools import BaseTool  # noqa: E402


def plugin_tools(url: str) -> list[BaseTool]:
    """Return the plugin's own tool, and those by which a model follows its guide."""
    plugin = AIPluginTool.from_plugin_url(f"{url}/.well-known/ai-plugin.json")
    requests: Any = TextRequestsWrapper()
    return [
        plugin,
        RequestsGetTool(requests_wrapper=requests, allow_dangerous_requests=True),
        RequestsPostTool(requests_wrapper=requests, allow_dangerous_requests=True),
    ]
