"""Serve one ASGI application on a free port until standard input ends: `python -m benchmarks.http.serve <target>`."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading

import uvicorn

from benchmarks.child import tell
from benchmarks.contender import load


def main(target: str) -> None:
    """Serve with the settings that all contenders share: uvloop, httptools, one worker, no access log."""
    config = uvicorn.Config(
        load(target), loop="uvloop", http="httptools", access_log=False, log_level="warning", ws="none"
    )
    server = uvicorn.Server(config)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    threading.Thread(target=_stop_with_input, args=[server], daemon=True).start()
    tell({"port": listener.getsockname()[1]})
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))


def _stop_with_input(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True


if __name__ == "__main__":
    main(sys.argv[1])
