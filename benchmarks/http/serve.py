"""Serve one ASGI application on a free port: `python -m benchmarks.http.serve <target>`.

It answers every line of standard input with the processor time it has used, and stops when there are no more.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time

import uvicorn

from benchmarks.child import answer_questions, tell
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
    threading.Thread(target=_answer_until_end, args=[server], daemon=True).start()
    tell({"port": listener.getsockname()[1]})
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))


def _answer_until_end(server: uvicorn.Server) -> None:
    answer_questions(lambda _: time.process_time())
    server.should_exit = True


if __name__ == "__main__":
    main(sys.argv[1])
