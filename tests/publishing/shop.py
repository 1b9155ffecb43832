"""Somebody else's service, as shop.yaml describes it: it answers with what it was asked."""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

asked: list[dict[str, Any]] = []
"""What came, in order."""


async def _remember(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "")
    seen: dict[str, Any] = {
        "method": request.method,
        "path": request.url.path,
        "query": list(request.query_params.multi_items()),
        "trace": request.headers.get("x-trace-id"),
        "cookies": request.cookies,
        "kind": kind.partition(";")[0],
    }
    if kind.startswith(("multipart/", "application/x-www-form-urlencoded")):
        async with request.form() as form:
            seen["form"] = [
                (name, value if isinstance(value, str) else (value.filename, await value.read()))
                for name, value in form.multi_items()
            ]
    else:
        seen["body"] = await request.body()
    asked.append(seen)
    return seen


async def _pet(request: Request) -> Response:
    await _remember(request)
    number = int(request.path_params["number"])
    if request.method == "DELETE":
        if number == 5:
            return JSONResponse({"owner": "ann"}, 409, media_type="application/vnd.shop+json")
        return Response(status_code=204)
    if number == 404:
        return JSONResponse({"code": "gone", "status": 1, "Error": {"code": "why", "status": 2}}, 404)
    if number == 405:
        return JSONResponse(["another", "shape"], 404)
    if number == 500:
        return PlainTextResponse("oops", 500)
    if request.method == "PUT":
        return JSONResponse(json.loads(await request.body()))
    look = {"kind": "scales", "count": 3}
    data = {"a": ["b", {"c": "d"}]}
    whole = {"id": number, "name": "rex", "status": "for-sale", "favourite-food": "bone", "new": 1}
    return JSONResponse({**whole, "look": look, "data": data, "toys": ["ball"]})


async def _pets(request: Request) -> Response:
    return JSONResponse(json.loads((await _remember(request))["body"]))


async def _form(request: Request) -> Response:
    await _remember(request)
    return (
        PlainTextResponse("thanks") if request.url.path.endswith("upload") else JSONResponse({"token": "t"})
    )


async def _photo(request: Request) -> Response:
    await _remember(request)
    return Response(b"\x89PNG", media_type="image/png")


app: Starlette = Starlette(
    routes=[
        Route("/v1/pets/{number}", _pet, methods=["GET", "PUT", "DELETE"]),
        Route("/v1/pets", _pets, methods=["POST"]),
        Route("/v1/upload", _form, methods=["POST"]),
        Route("/v1/login", _form, methods=["POST"]),
        Route("/v1/photos/{id:path}", _photo),
    ]
)
