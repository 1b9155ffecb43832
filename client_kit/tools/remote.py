"""A service that is known by its URL alone: its document says what it can do, and calls go where that says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self, cast
from urllib.parse import urljoin, urlsplit

from client_kit.auth import Auth
from client_kit.bound import BoundCommand, BoundStream
from client_kit.errors import InvalidOption
from client_kit.line import Line, Session, bind
from client_kit.options import CallOptions, ClientOptions
from client_kit.retry import Retry
from client_kit.tools.operations import Operation, read_operations
from client_kit.tools.requests import OperationContract
from client_kit.tools.schemas import Json
from client_kit.transports import Transport
from client_kit.url import parse_url

DOCUMENT = "/openapi.json"


class RemoteService:
    """What `async with RemoteService(url) as service`, or `with`, gives: the operations of the served document.

    `url` is the service's, or that of its OpenAPI document, if it ends with `.json`. Raises InvalidOption, when the
    document is read, if it names another host for the calls and `auth`, or the headers of `options`, would go there.
    """

    def __init__(
        self,
        url: str,
        *,
        transport: Transport | None = None,
        auth: Auth | None = None,
        retry: Retry | None = None,
        timeout_s: float = 30.0,
        options: ClientOptions | None = None,
    ) -> None:
        self._session = Session.at(
            url, transport=transport, auth=auth, retry=retry, timeout_s=timeout_s, options=options
        )
        self.url: str = self._session.base_url
        self.operations: list[Operation] = []
        self.unusable: dict[str, str] = {}
        """Why an operation cannot be called with arguments in JSON, by its name."""
        self._auth = auth

    async def __aenter__(self) -> Self:
        try:
            self.read(await self._document().call((), {}))
        except BaseException:
            await self._session.transport.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    def __enter__(self) -> Self:
        self.load()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self) -> None:
        """Fetch the document, as entering does; whoever does not enter calls `close` in the end."""
        try:
            self.read(self._document().call_sync((), {}))
        except BaseException:
            self._session.transport.close_sync()
            raise

    def close(self) -> None:
        """Close what sync calls use; calls raise RuntimeError from now on."""
        self._session.close_sync()

    def read(self, document: Any) -> None:
        """Take the operations from a document; raise InvalidOption if it is none."""
        if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
            raise InvalidOption(
                f"url '{self.url}'", "serves no OpenAPI document", f"look at {self._document_url}"
            )
        whole = cast(Json, document)
        self.operations, self.unusable = read_operations(whole)
        self._session.base_url = self._server_of(whole)

    def bind(self, operation: Operation) -> BoundCommand[..., Any] | BoundStream[..., Any]:
        """Return the operation as something to call, with its arguments by name."""
        return bind(self._session, OperationContract(operation))

    @property
    def _document_url(self) -> str:
        return self.url if self.url.endswith(".json") else self.url + DOCUMENT

    def _document(self) -> Line:
        at_host = "/" + self._document_url.split("/", 3)[3]
        session = replace(self._session, base_url=self._document_url.removesuffix(at_host))
        return Line(session, OperationContract(Operation("openapi", "", "GET", at_host, {})), CallOptions())

    def _server_of(self, document: Json) -> str:
        """Return where calls go: by the document, but over the scheme that the caller chose for the same host."""
        servers = document.get("servers") or [{"url": "/"}]
        named = urljoin(self._document_url, str(servers[0].get("url", "/")))
        here, there = urlsplit(self.url), urlsplit(named)
        if here.netloc == there.netloc:
            return f"{here.scheme}://{here.netloc}{there.path}".rstrip("/")
        if self._auth is not None or self._session.policy.options.headers:
            raise InvalidOption(
                f"url '{self.url}'",
                f"has a document that sends calls to '{there.netloc}', for which the credentials may not be",
                "give the URL of that host, or neither auth nor headers",
            )
        return parse_url(named)
