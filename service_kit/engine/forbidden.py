"""What an event loop can do and a workflow's cannot: everything that reaches outside the execution."""

from __future__ import annotations

import asyncio
from types import CodeType
from typing import Any

from ..errors import NonDeterminismError
from .ledger import Ledger
from .source import caller_line

__all__ = ["ClosedLoop", "refusal"]


def refusal(ledger: Ledger, what: str) -> Exception:
    """Return the error to raise for something that a workflow cannot do, having stopped the turn with it."""
    problem = (
        f"a workflow cannot use {what}: a replay could not repeat it; do it in a task, and await the task"
    )
    return ledger.reject(NonDeterminismError(problem, where=caller_line()))


def _refuses(what: str) -> Any:
    def refuse(self: ClosedLoop, *args: object, **options: object) -> None:
        raise refusal(self.ledger, what)

    return refuse


class ClosedLoop(asyncio.AbstractEventLoop):
    """An event loop without an outside: no threads, no processes, no network, no life of its own."""

    ledger: Ledger
    told_at: tuple[CodeType, int] | None = None
    """Code and instruction where the interpreter last told of an error that it cannot raise, as one of `__del__`."""

    run_in_executor: Any = _refuses("threads or executors (run_in_executor, asyncio.to_thread)")
    set_default_executor: Any = _refuses("threads or executors (set_default_executor)")
    shutdown_default_executor: Any = _refuses("threads or executors (shutdown_default_executor)")
    call_soon_threadsafe: Any = _refuses("other threads (call_soon_threadsafe, run_coroutine_threadsafe)")
    subprocess_shell: Any = _refuses("subprocesses (subprocess_shell)")
    subprocess_exec: Any = _refuses("subprocesses (subprocess_exec)")
    add_signal_handler: Any = _refuses("signals of the operating system (add_signal_handler)")
    remove_signal_handler: Any = _refuses("signals of the operating system (remove_signal_handler)")
    getaddrinfo: Any = _refuses("the network (getaddrinfo)")
    getnameinfo: Any = _refuses("the network (getnameinfo)")
    create_connection: Any = _refuses("the network (create_connection)")
    create_server: Any = _refuses("the network (create_server)")
    create_unix_connection: Any = _refuses("the network (create_unix_connection)")
    create_unix_server: Any = _refuses("the network (create_unix_server)")
    create_datagram_endpoint: Any = _refuses("the network (create_datagram_endpoint)")
    connect_accepted_socket: Any = _refuses("the network (connect_accepted_socket)")
    start_tls: Any = _refuses("the network (start_tls)")
    sendfile: Any = _refuses("files (sendfile)")
    connect_read_pipe: Any = _refuses("pipes (connect_read_pipe)")
    connect_write_pipe: Any = _refuses("pipes (connect_write_pipe)")
    add_reader: Any = _refuses("file descriptors (add_reader)")
    remove_reader: Any = _refuses("file descriptors (remove_reader)")
    add_writer: Any = _refuses("file descriptors (add_writer)")
    remove_writer: Any = _refuses("file descriptors (remove_writer)")
    sock_recv: Any = _refuses("sockets (sock_recv)")
    sock_recv_into: Any = _refuses("sockets (sock_recv_into)")
    sock_recvfrom: Any = _refuses("sockets (sock_recvfrom)")
    sock_recvfrom_into: Any = _refuses("sockets (sock_recvfrom_into)")
    sock_sendall: Any = _refuses("sockets (sock_sendall)")
    sock_sendto: Any = _refuses("sockets (sock_sendto)")
    sock_connect: Any = _refuses("sockets (sock_connect)")
    sock_accept: Any = _refuses("sockets (sock_accept)")
    sock_sendfile: Any = _refuses("sockets (sock_sendfile)")
    run_forever: Any = _refuses("a loop of its own (run_forever)")
    run_until_complete: Any = _refuses("a loop of its own (run_until_complete)")
    stop: Any = _refuses("the loop's life (stop)")
    close: Any = _refuses("the loop's life (close)")
    shutdown_asyncgens: Any = _refuses("the loop's life (shutdown_asyncgens)")
    set_debug: Any = _refuses("the loop's settings (set_debug)")
    set_exception_handler: Any = _refuses("the loop's settings (set_exception_handler)")
