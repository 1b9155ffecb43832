"""The socket that the server listens on: bound before anything is imported, so that a clash is told at once."""

from __future__ import annotations

import errno
import socket
from typing import TypeAlias

BACKLOG = 2048

_Address: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


class AddressUnavailable(Exception):
    """The address cannot be listened on; `cure` says what can be done."""

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__(f"{problem}; {cure}")
        self.problem = problem
        self.cure = cure


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises AddressUnavailable.

    It listens from here on, whoever accepts: callers that come while the service is reloaded are served after it.
    """
    family, address = _resolve(host, port)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _unavailable(host, port, error) from error
    listener.set_inheritable(True)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL at which this machine reaches the socket."""
    address: tuple[str, int] = listener.getsockname()[:2]
    host, port = address
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - they are told from others, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, _Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise AddressUnavailable(
            f"host '{host}' is unknown to this machine",
            "use --host 127.0.0.1, or 0.0.0.0 for every interface",
        ) from error
    # 'localhost' is both; the printed URL, and most clients, mean the first family.
    ordered = sorted(found, key=lambda info: info[0] != socket.AF_INET)
    return ordered[0][0], ordered[0][4]


def _unavailable(host: str, port: int, error: OSError) -> AddressUnavailable:
    match error.errno:
        case errno.EADDRINUSE:
            return AddressUnavailable(
                f"port {port} of {host} is taken by another program",
                "stop that one, or choose another port (--port 0 takes a free one)",
            )
        case errno.EACCES:
            return AddressUnavailable(
                f"port {port} of {host} needs rights that you do not have", "choose a port above 1023"
            )
        case errno.EADDRNOTAVAIL:
            return AddressUnavailable(
                f"{host} is no address of this machine", "use 127.0.0.1, or 0.0.0.0 for every interface"
            )
        case _:
            return AddressUnavailable(
                f"cannot listen on {host}, port {port} ({error.strerror})", "choose another address"
            )
