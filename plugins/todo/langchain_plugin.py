"""LangChain uses the todo plugin: `python -m plugins.todo.langchain_plugin http://127.0.0.1:8000`.

LangChain's own classes, unmodified: the plugin tool finds the specification through the manifest, the
specification's reader knows every operation with its parameters, and an agent that has read them calls by requests.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

# The package is archived and says so at import; what it reads is what other readers of plugins read.
warnings.filterwarnings("ignore", category=DeprecationWarning)

from langchain_community.tools import AIPluginTool, APIOperation, OpenAPISpec  # noqa: E402

from plugins.agents.agent import ask  # noqa: E402
from plugins.agents.by_manifest import plugin_tools  # noqa: E402
from plugins.agents.model import Say, Script, Use  # noqa: E402

QUESTION = "Put 'feed the cat' on my list, and tell me the number of the todo."


def describe(tool: AIPluginTool) -> None:
    """Print what LangChain reads of a plugin, and of its specification."""
    print(f"plugin      {tool.name}: {tool.plugin.name_for_human}")
    print(f"described   {tool.plugin.description_for_human}")
    guide = str(tool.run(""))
    print(f"guide       {guide.partition('OpenAPI Spec:')[0].strip()}")

    specification = OpenAPISpec.from_url(tool.plugin.api.url)
    for path in specification.paths or {}:
        for method in specification.get_methods_for_path(path):
            operation = APIOperation.from_openapi_spec(specification, path, method)
            parameters = [*operation.path_params, *operation.query_params, *operation.body_params]
            purpose = (operation.description or "").partition("\n")[0]
            print(f"operation   {operation.operation_id}({', '.join(parameters)}): {purpose}")


def script_of(url: str) -> Script:
    def script(answers: list[Any]) -> Use | Say:
        match answers:
            case []:
                return Use("todo")
            case [_guide]:
                return Use(
                    "requests_post",
                    {"text": json.dumps({"url": f"{url}/todos", "data": {"title": "feed the cat"}})},
                )
            case _:
                return Say(f"It is todo number {answers[-1]['id']}.")

    return script


def main(url: str) -> None:
    tools = plugin_tools(url)
    assert isinstance(tools[0], AIPluginTool)
    describe(tools[0])
    ask(QUESTION, tools, script_of(url))


if __name__ == "__main__":
    main(*sys.argv[1:])
