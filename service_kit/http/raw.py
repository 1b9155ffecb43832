"""FastAPI routers beside the commands: raw routes, with the service's problems and specification."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from service_kit.errors import DefinitionError
from service_kit.http.problems import MEDIA_TYPE, respond
from service_kit.http.titles import title_of

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    from service_kit.http.router import WrongMethod


REQUEST = "service_kit.request"
"""Where an ASGI scope holds our `Request`, for the handlers below."""


class RawRoutes:
    """An ASGI application of FastAPI routers; FastAPI is imported here and nowhere else."""

    def __init__(self, service: str, routers: Sequence[object]) -> None:
        from fastapi import APIRouter, FastAPI
        from fastapi.exceptions import RequestValidationError
        from starlette.exceptions import HTTPException

        self.application: FastAPI = FastAPI(title=service, docs_url=None, redoc_url=None, openapi_url=None)
        for router in routers:
            if not isinstance(router, APIRouter):
                raise DefinitionError(
                    f"service '{service}'", f"routes holds {router!r}", "list FastAPI routers"
                )
            self.application.include_router(router)
        self.application.add_exception_handler(Exception, _internal_problem)
        self.application.add_exception_handler(HTTPException, _http_problem)  # type: ignore[arg-type]  # keyed by the class
        self.application.add_exception_handler(RequestValidationError, _input_problem)  # type: ignore[arg-type]  # as above

    def has(self, scope: MutableMapping[str, Any], found: WrongMethod | None) -> bool:
        """Tell whether a request is for these routes: no command's path, or a command's path with a method of ours."""
        from starlette.routing import Match

        return found is None or any(r.matches(scope)[0] is Match.FULL for r in self.application.router.routes)

    def specification(self) -> dict[str, Any]:
        """Return FastAPI's document of these routes."""
        document: dict[str, Any] = self.application.openapi()
        return document


async def _internal_problem(request: Request, error: Exception) -> Response:
    ours = respond(error, request.app.title, None, request.scope[REQUEST])
    return _response(ours.body, ours.status)


async def _http_problem(request: Request, error: HTTPException) -> Response:
    return _problem(request, error.status_code, str(error.detail), headers=dict(error.headers or {}))


async def _input_problem(request: Request, error: RequestValidationError) -> Response:
    errors = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
    first = errors[0]
    detail = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return _problem(request, 422, detail, type="urn:problem-type:service-kit:invalid-input", errors=errors)


def _problem(
    request: Request, status: int, detail: str, *, headers: dict[str, str] | None = None, **members: Any
) -> Response:
    problem = {"type": "about:blank", "title": title_of(status), "status": status, "detail": detail}
    problem |= {"request_id": request.scope[REQUEST].request_id, **members}
    return _response(to_json(problem), status, headers)


def _response(body: bytes, status: int, headers: dict[str, str] | None = None) -> Response:
    from fastapi import Response

    return Response(body, status, headers, media_type=MEDIA_TYPE.decode())
