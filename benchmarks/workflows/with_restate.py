"""Restate: its server on a folder, and a service with its Python SDK: https://docs.restate.dev.

The server is one program, which npm brings: `npm install --global @restatedev/restate-server`. The service is served by
Hypercorn, as Restate's documentation does it, because the server speaks HTTP/2 with it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import restate  # type: ignore[import-not-found, unused-ignore]  # a peer, which need not be installed

from benchmarks.measurement import CannotMeasure
from benchmarks.workflows.contest import Contestant

PROGRAM = "restate-server"
PATIENCE_S = 60.0

counting = restate.Service("counting")


async def step(number: int) -> int:
    return number + 1


@counting.handler()  # type: ignore[misc, untyped-decorator, unused-ignore]  # untyped where it is not installed
async def count(context: restate.Context, steps: int) -> int:
    number = 0
    for _ in range(steps):
        number = await context.run_typed("step", step, number=number)
    return number


app = restate.app([counting])


@asynccontextmanager
async def open_restate(folder: Path) -> AsyncIterator[Contestant]:
    ingress, admin, node, service = _free_ports(4)
    environment = {
        **os.environ,
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
        "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{node}",
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_LOG_FILTER": "error",
        "DO_NOT_TRACK": "1",
    }
    server = [PROGRAM, "--base-dir", str(folder)]
    served = [sys.executable, "-m", "hypercorn", "--log-level", "ERROR", "--bind", f"127.0.0.1:{service}"]
    async with AsyncExitStack() as stack:
        for command in (server, [*served, f"{__name__}:app"]):
            process = subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        connections = aiohttp.TCPConnector(limit=0)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connections))
        await _register(session, f"http://127.0.0.1:{admin}", f"http://127.0.0.1:{service}")

        async def counted(steps: int) -> int:
            url = f"http://127.0.0.1:{ingress}/counting/count"
            async with session.post(url, json=steps) as answer:
                answer.raise_for_status()
                result: int = await answer.json()
            return result

        yield Contestant(counted, alone=False)


async def _register(session: aiohttp.ClientSession, admin: str, service: str) -> None:
    """Tell the server where the service is, as soon as both are there."""
    said = "nothing"
    for _ in range(int(PATIENCE_S / 0.2)):
        try:
            async with session.post(f"{admin}/deployments", json={"uri": service}) as answer:
                said = await answer.text()
                if answer.ok:
                    return
        except aiohttp.ClientError as error:
            said = str(error)
        await asyncio.sleep(0.2)
    raise CannotMeasure(f"{PROGRAM} did not take the service within {PATIENCE_S:g} s; it said: {said}")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
