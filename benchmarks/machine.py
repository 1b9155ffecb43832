"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from benchmarks.contender import installed_version

LIBRARIES = [
    "pydantic",
    "uvicorn",
    "uvloop",
    "httptools",
    "fastapi",
    "starlette",
    "litestar",
    "mangum",
    "aws-lambda-powertools",
    "chalice",
    "httpx",
    "aiohttp",
    "dbos",
    "restate-sdk",
    "temporalio",
]


def describe() -> dict[str, str]:
    """Return the processor, the system, the interpreter and the libraries, each as one line."""
    libraries = [(name, installed_version(name)) for name in LIBRARIES]
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "load average before": load,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": ", ".join(f"{name} {found}" for name, found in libraries if found),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
