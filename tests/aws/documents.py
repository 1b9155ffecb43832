"""What a deployed service says of itself: every document names the API's own URL."""

from __future__ import annotations

import httpx
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator


def check_documents(url: str) -> None:
    """Fail unless manifest and specification, in each version and form, are valid and lead to this URL."""
    # The emulator names no scheme, and API Gateway has only this one.
    public = url.replace("http://", "https://")
    with httpx.Client(base_url=url, trust_env=False) as web:
        manifest = web.get("/.well-known/ai-plugin.json").json()
        newest = web.get("/openapi.json").json()
        older = web.get("/openapi.json", params={"version": "3.0"}).json()
        assert manifest["api"]["url"] == f"{public}/openapi.json"
        assert newest["servers"] == older["servers"] == [{"url": public}]
        OpenAPIV31SpecValidator(newest).validate()
        OpenAPIV30SpecValidator(older).validate()
        assert web.get("/openapi.yaml").text.startswith("openapi: 3.1.0")
        assert web.get("/healthz").json() == {"status": "ok"}
