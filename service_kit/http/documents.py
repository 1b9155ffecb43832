"""What a service says of itself: specification, manifest, catalogues, documentation page, health."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from service_kit.contract.exchange import Next, Request, Response
from service_kit.contract.service import ServiceContract
from service_kit.http.options import HttpOptions
from service_kit.http.problems import KitProblem

if TYPE_CHECKING:
    from service_kit.openapi import Document, Offered

Make: TypeAlias = "Callable[[str], Document]"
"""From the service's URL to the document."""

SPECIFICATION_PATHS = ("/openapi.json", "/.well-known/openapi.json", "/spec/openapi.json")
CATALOG_PATH = "/.well-known/api-catalog"
_ANYWHERE = "http://the-url-of-this.service.invalid"
"""Stands in kept documents for the URL, which callers choose by their Host header: no name makes one anew."""
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")

_ASSETS = {
    "swagger-ui-bundle.js": b"text/javascript",
    "swagger-ui.css": b"text/css",
    "favicon.png": b"image/png",
}


class Documents:
    """Routes to the documents of one service; each is made once, and kept."""

    def __init__(
        self,
        contract: ServiceContract,
        options: HttpOptions,
        raw_specification: Callable[[], dict[str, object] | None],
    ) -> None:
        self._contract = contract
        self._options = options
        self._raw_specification = raw_specification
        self._kept: dict[str, Document] = {}

    def routes(self) -> list[tuple[str, Next]]:
        """Return the paths, all GET, and what answers there."""
        routes: list[tuple[str, Next]] = [(path, self._specification) for path in SPECIFICATION_PATHS]
        routes.append(("/openapi.yaml", self._specification_yaml))
        routes.append(("/.well-known/ai-plugin.json", partial(self._serve, "manifest", self._manifest)))
        routes.append(("/llms.txt", partial(self._serve, "llms", self._llms)))
        routes.append((CATALOG_PATH, self._catalog))
        if self._asks_for_card:
            routes.append(("/.well-known/agent-card.json", partial(self._serve, "card", self._card)))
        routes.append(("/logo.svg", self._logo))
        routes.append(("/legal", self._legal))
        routes.append(("/healthz", _health))
        if self._options.docs:
            routes.append(("/docs", self._docs))
            routes.append(("/docs/{asset}", _docs_asset))
        return routes

    async def _specification(self, request: Request) -> Response:
        version = _version(request)
        return await self._serve(version, lambda url: self._render(url, version, "json"), request)

    async def _specification_yaml(self, request: Request) -> Response:
        version = _version(request)
        return await self._serve(f"{version} yaml", lambda url: self._render(url, version, "yaml"), request)

    def _render(self, url: str, version: str, form: str) -> Document:
        # Imported with the first document: a Lambda that only runs commands never pays for it.
        from service_kit.openapi import build_specification, downgrade, render_json, render_yaml

        specification = build_specification(
            self._contract, url=url, include_rpc=self._options.include_rpc, raw=self._raw_specification()
        )
        if version == "3.0":
            specification = downgrade(specification)
        return render_yaml(specification) if form == "yaml" else render_json(specification)

    def _manifest(self, url: str) -> Document:
        from service_kit.openapi import build_manifest, render_json

        return render_json(build_manifest(self._contract, url=url, specification_url=f"{url}/openapi.json"))

    def _llms(self, url: str) -> Document:
        from service_kit.openapi import llms_text, render_text

        return render_text(llms_text(self._contract, url=url, offered=self._offered()))

    async def _catalog(self, request: Request) -> Response:
        response = await self._serve("catalog", self._api_catalog, request)
        # RFC 9727 section 3.1: whoever asks for the head alone learns of the catalogue by this.
        response.raw_headers.append(
            (b"link", f'<{self._url(request)}{CATALOG_PATH}>; rel="api-catalog"'.encode())
        )
        return response

    def _api_catalog(self, url: str) -> Document:
        from service_kit.openapi import LINKSET_MEDIA_TYPE, api_catalog, render_json

        return render_json(api_catalog(self._contract, url=url, offered=self._offered()), LINKSET_MEDIA_TYPE)

    def _card(self, url: str) -> Document:
        from service_kit.openapi import build_agent_card, render_json

        card = self._contract.plugin.agent_card
        assert card is not None
        return render_json(build_agent_card(self._contract, card, url=url))

    def _offered(self) -> Offered:
        from service_kit.openapi import Offered

        return Offered(docs=self._options.docs, mcp=self._options.mcp, agent_card=self._asks_for_card)

    @property
    def _asks_for_card(self) -> bool:
        declared = self._contract.declared_plugin
        return declared is not None and declared.agent_card is not None

    def _url(self, request: Request) -> str:
        return self._options.url.rstrip("/") if self._options.url else _checked(request).base_url.rstrip("/")

    async def _serve(self, kind: str, make: Make, request: Request) -> Response:
        url = self._url(request)
        document = self._kept.get(kind)
        if document is None:
            document = self._kept[kind] = make(_ANYWHERE)
        return _cached(request, _at(document, url))

    async def _docs(self, request: Request) -> Response:
        if _assets_folder() is None:
            raise KitProblem(
                404, "not-found", "the documentation page needs: pip install 'service-kit[server]'"
            )
        # A prefix may be a parameter of the application that mounts us: what the caller wrote.
        page = _PAGE.format(title=_escaped(self._contract.title), root=quote(request.root_path))
        return _html(page)

    async def _logo(self, _: Request) -> Response:
        letter = _escaped(self._contract.title[:1].upper())
        return Response(200, [(b"content-type", b"image/svg+xml")], _LOGO.format(letter=letter).encode())

    async def _legal(self, _: Request) -> Response:
        title = _escaped(self._contract.title)
        return _html(
            f"<!doctype html><title>{title}</title><p>The operator of {title} has published no legal terms here."
        )


def _escaped(text: str) -> str:
    from html import escape  # a slow import, for pages that few ask for

    return escape(text)


def _version(request: Request) -> str:
    version = dict(request.query).get("version", "3.1")
    if version.startswith("3.0"):
        return "3.0"
    if version.startswith("3.1"):
        return "3.1"
    raise KitProblem(400, "malformed-request", f"there is no version '{version}'; ask for 3.1 or 3.0")


def _checked(request: Request) -> Request:
    """Return the request if its Host may stand in documents as it is; raise the 400 of RFC 9112 section 3.2."""
    host = request.header(b"host")
    if host is not None and not _HOST.fullmatch(host):
        raise KitProblem(400, "malformed-request", "the Host header is no name and port")
    return request


def _at(document: Document, url: str) -> Document:
    """Return a kept document as it is at a URL."""
    tag = hashlib.sha256(f"{document.etag} {url}".encode()).hexdigest()[:32]
    return replace(document, body=document.body.replace(_ANYWHERE.encode(), url.encode()), etag=f'"{tag}"')


def _cached(request: Request, document: Document) -> Response:
    headers = [
        (b"etag", document.etag.encode()),
        (b"cache-control", b"no-cache"),
        # The document names the URL that the caller used.
        (b"vary", b"Host"),
    ]
    asked = request.headers.get("if-none-match")
    # RFC 9110 section 13.1.2 compares weakly: whoever compressed the answer on its way has marked the tag.
    if asked is not None and (
        asked == "*" or document.etag in [tag.strip().removeprefix("W/") for tag in asked.split(",")]
    ):
        return Response(304, headers)
    return Response(200, [(b"content-type", document.media_type.encode()), *headers], document.body)


async def _health(_: Request) -> Response:
    return Response(200, [(b"content-type", b"application/json")], b'{"status":"ok"}')


async def _docs_asset(request: Request) -> Response:
    name, folder = request.path_params["asset"], _assets_folder()
    if name not in _ASSETS or folder is None:
        raise KitProblem(404, "not-found", "there is no such asset")
    body = (folder / name).read_bytes()
    return Response(200, [(b"content-type", _ASSETS[name]), (b"cache-control", b"max-age=86400")], body)


def _assets_folder() -> Path | None:
    """Return where fastapi-offline keeps its copy of Swagger UI, without importing it."""
    spec = find_spec("fastapi_offline")
    return Path(spec.origin).parent / "static" if spec and spec.origin else None


def _html(page: str) -> Response:
    return Response(200, [(b"content-type", b"text/html; charset=utf-8")], page.encode())


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="{root}/docs/favicon.png">
<link rel="stylesheet" href="{root}/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="{root}/docs/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({{url: "{root}/openapi.json", dom_id: "#page", deepLinking: true}});
</script>
</body>
</html>
"""

_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="12" fill="#1f4b99"/>'
    '<text x="32" y="44" font-family="sans-serif" font-size="36" fill="#fff" text-anchor="middle">{letter}</text></svg>'
)
