"""LangChain tools for the commands of a service: `create_agent(model, tools(client))`.

`structured` makes them, `arguments` from the types of a contract, `failures` says what a model is told when a
call fails. Needs `langchain-core`, which nothing else here imports.
"""

from __future__ import annotations

from client_kit.langchain.streams import StreamLimits as StreamLimits
from client_kit.langchain.toolbox import tools as tools

__all__ = ["StreamLimits", "tools"]
