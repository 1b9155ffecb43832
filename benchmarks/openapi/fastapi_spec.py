"""FastAPI's `openapi()`, dumped as its `/openapi.json` dumps it."""

from __future__ import annotations

import json
from types import ModuleType

import fastapi

from benchmarks.openapi.worker import Generator


def generate(module: ModuleType) -> bytes:
    app: fastapi.FastAPI = module.app
    return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()


GENERATOR = Generator("fastapi_many", generate)
