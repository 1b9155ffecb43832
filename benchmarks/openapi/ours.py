"""Our specification, rendered as `/openapi.json` serves it."""

from __future__ import annotations

from types import ModuleType

from benchmarks.openapi.worker import Generator
from service_kit import Service
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification, render_json


def generate(module: ModuleType) -> bytes:
    service: type[Service] = module.Many
    return render_json(build_specification(contract_of(service), url="http://localhost")).body


GENERATOR = Generator("ours_many", generate)
