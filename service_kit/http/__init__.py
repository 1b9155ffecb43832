"""The HTTP face: commands as native routes, problems, security, documents, streams, as an ASGI application.

`application` is neutral (`Request` in, `Response` out) and serves Lambda as well; `asgi` carries it for servers.
"""

from __future__ import annotations

from service_kit.http.application import Application
from service_kit.http.asgi import AsgiApplication
from service_kit.http.options import HttpOptions

__all__ = ["Application", "AsgiApplication", "HttpOptions"]
