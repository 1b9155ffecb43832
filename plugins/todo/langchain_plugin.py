"""LangChain reads the todo plugin: `python -m plugins.todo.langchain_plugin http://127.0.0.1:8000`.

LangChain's own classes, unmodified: the plugin tool finds the specification through the manifest, and the
specification's reader knows every operation with its parameters.
"""

from __future__ import annotations

import sys
import warnings

# The package is archived and says so at import; what it reads is what other readers of plugins read.
warnings.filterwarnings("ignore", category=DeprecationWarning)

from langchain_community.tools import AIPluginTool, APIOperation, OpenAPISpec  # noqa: E402


def main(url: str) -> None:
    tool = AIPluginTool.from_plugin_url(f"{url}/.well-known/ai-plugin.json")
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


if __name__ == "__main__":
    main(*sys.argv[1:])
