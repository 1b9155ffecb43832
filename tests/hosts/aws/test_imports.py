from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HANDLER = """
import sys
from pydantic import BaseModel
from service_kit import Service, command
from service_kit.hosts.aws import lambda_handler

class Order(BaseModel):
    sku: str

@command(method="POST", path="/orders")
async def place_order(order: Order) -> Order:
    return order

class Orders(Service):
    place_order = place_order

handler = lambda_handler(Orders)
event = {"version": "2.0", "rawPath": "/orders", "requestContext": {"http": {"method": "POST"}}, "body": '{"sku": "s"}'}
assert handler(event, None)["statusCode"] == 200
print(*sys.modules)
"""

NEEDLESS = {
    "boto3",
    "client_kit",
    "fastapi",
    "html",
    "http.cookies",
    "httpx",
    "jwt",
    "mangum",
    "mcp",
    "mcp_types",
    "multiprocessing",
    "openapi_pydantic",
    "service_kit.contract.cors",
    "service_kit.contract.event",
    "service_kit.contract.plugin",
    "service_kit.contract.prompt",
    "service_kit.contract.security",
    "service_kit.contract.task",
    "service_kit.contract.workflow",
    "service_kit.engine",
    "service_kit.hosts.aws.environment",
    "service_kit.hosts.aws.raw",
    "service_kit.hosts.local",
    "service_kit.http.cors",
    "service_kit.http.idempotency",
    "service_kit.http.jwt",
    "service_kit.http.management",
    "service_kit.http.mcp",
    "service_kit.http.origins",
    "service_kit.http.security",
    "service_kit.messaging",
    "service_kit.openapi",
    "service_kit.runtime",
    "service_kit.stores",
    "sqlite3",
    "starlette",
    "urllib.request",
    "uvicorn",
}


def test_a_handler_of_one_command_imports_nothing_that_it_does_not_need() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", HANDLER],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(NEEDLESS & {*done.stdout.split()}) == []
