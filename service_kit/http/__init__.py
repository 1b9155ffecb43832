"""The HTTP face: commands as native routes, problems, security, documents, streams, as an ASGI application.

`application` is neutral (`Request` in, `Response` out) and serves Lambda as well; `asgi` carries it for servers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service_kit.http.application import Application as Application
    from service_kit.http.asgi import AsgiApplication as AsgiApplication
    from service_kit.http.options import HttpOptions as HttpOptions

_PLACES = {"Application": "application", "AsgiApplication": "asgi", "HttpOptions": "options"}

__all__ = ["Application", "AsgiApplication", "HttpOptions"]


def __getattr__(name: str) -> Any:
    """Load what is asked for: a function behind a queue wants the lifespan of this room, and nothing else."""
    if name not in _PLACES:
        raise AttributeError(f"module 'service_kit.http' has no attribute '{name}'")
    globals()[name] = found = getattr(import_module(f"service_kit.http.{_PLACES[name]}"), name)
    return found
