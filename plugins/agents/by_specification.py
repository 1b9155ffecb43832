"""Tools from the OpenAPI document, by LangChain's own reader: each operation is a tool, each call an HTTP request."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

# The packages that read specifications are archived and say so at import.
warnings.filterwarnings("ignore", category=DeprecationWarning)

from langchain_classic.chains.openai_functions.openapi import openapi_spec_to_openai_fn  # noqa: E402
from langchain_community.utilities.openapi import OpenAPISpec  # noqa: E402
from langchain_core.tools import BaseTool, StructuredTool  # noqa: E402


def specification_tools(url: str) -> list[BaseTool]:
    """Return a tool for each operation of the service's specification."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        functions, call = openapi_spec_to_openai_fn(OpenAPISpec.from_url(f"{url}/openapi.json"))
    return [_tool(function, call) for function in functions]


def _tool(function: dict[str, Any], call: Callable[..., Any]) -> BaseTool:
    def request(**arguments: Any) -> str:
        response = call(function["name"], arguments)
        print(f"  {response.request.method} {response.request.url} -> {response.status_code}")
        return f"{response.status_code} {response.text}"

    return StructuredTool(
        name=function["name"],
        description=function["description"],
        args_schema=function["parameters"],
        func=request,
    )
