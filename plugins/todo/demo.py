"""Serve the todo service on a free port of this machine, and call it over HTTP with the typed client."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import uvicorn

from client_kit import connect
from plugins.todo.client import tour
from plugins.todo.service import Todos
from service_kit import Service


@asynccontextmanager
async def serving(service: type[Service]) -> AsyncGenerator[str, None]:
    """Serve on loopback, in a thread with an event loop of its own; yield the URL."""
    # It listens from here on: a call that comes before the server has started waits for it.
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(service.asgi(), log_level="warning"))
    running = asyncio.create_task(asyncio.to_thread(server.run, [listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def main() -> None:
    os.environ["no_proxy"] = "127.0.0.1"  # a proxy, where the environment names one, cannot reach us
    async with serving(Todos) as url:
        print(f"The todo service runs at {url}; a typed client calls it over HTTP:\n")
        async with connect(Todos, url) as todos:
            await tour(todos)
        await show_documents(url)
    print("\nThe service has stopped. Read plugins/todo/service.py next: it is all there is to it.")
    print("plugins/todo/README.md says how to keep it running, and what else calls it.")


async def show_documents(url: str) -> None:
    """Print what agents find."""
    async with httpx.AsyncClient(base_url=url) as web:
        manifest = (await web.get("/.well-known/ai-plugin.json")).json()
        specification = (await web.get(manifest["api"]["url"])).json()
    operations = [
        operation["operationId"] for path in specification["paths"].values() for operation in path.values()
    ]
    print(f"\nAgents find the plugin '{manifest['name_for_model']}' at {url}/.well-known/ai-plugin.json,")
    print(
        f"and by it OpenAPI {specification['openapi']} with {len(operations)} operations: {', '.join(operations)}."
    )


if __name__ == "__main__":
    asyncio.run(main())
