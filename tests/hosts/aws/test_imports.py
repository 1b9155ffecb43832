from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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

ENDS = {f"client_kit{rest}" for rest in ("", ".contracts", ".contracts.errors", ".contracts.protocols")}
"""What errors of executions' ends derive from, so that callers catch them by one name: no client is made for it."""

NEEDLESS = {
    "boto3",
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
    imported = {*done.stdout.split()}
    assert sorted(NEEDLESS & imported) == []
    assert {name for name in imported if name.partition(".")[0] == "client_kit"} <= ENDS


WORKER = """
import sys
from importlib import import_module
import_module(f"service_kit.hosts.aws.{sys.argv[1]}").handler
assert "boto3" in sys.modules, "its clients are made in the init phase"
print(*sys.modules)
"""
ENVIRONMENT = {
    "SERVICE": "tests.hosts.aws.metered:Metered",
    "SERVICE_KIT_TABLE": "table",
    "SERVICE_KIT_BUS": "bus",
    "SERVICE_KIT_QUEUE_PREFIX": "shop-",
    "SERVICE_KIT_TIMERS": "https://sqs.test/timers",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
HTTP_ALONE = {
    "service_kit.contract.cors",
    "service_kit.contract.scheduler",
    "service_kit.hosts.aws.answers",
    "service_kit.hosts.aws.entry",
    "service_kit.hosts.aws.events",
    "service_kit.http.application",
    "service_kit.http.asgi",
    "service_kit.http.documents",
    "service_kit.http.management",
    "service_kit.http.router",
    "service_kit.runtime.completion",
    "service_kit.runtime.forking",
    "service_kit.runtime.management",
}
TURNS = {
    "service_kit.hosts.aws.inline",
    "service_kit.hosts.aws.mover",
    "service_kit.runtime.orchestrator",
    "service_kit.runtime.warm",
}
ATTEMPTS = {"service_kit.runtime.attempt", "service_kit.runtime.attempt_runner"}
OPERATIONS = {
    "service_kit.contract.scheduler",
    "service_kit.runtime.completion",
    "service_kit.runtime.forking",
    "service_kit.runtime.management",
}
OF_BOTO3 = {"boto3", "html", "http.cookies", "multiprocessing", "urllib.request"}
NEVER = {name for name in NEEDLESS if not name.startswith(("service_kit", "client_kit"))} - OF_BOTO3
WORKERS = {
    "orchestrator": HTTP_ALONE,
    "relay": HTTP_ALONE | TURNS | ATTEMPTS,
    "tasks": HTTP_ALONE | TURNS,
    "subscriptions": HTTP_ALONE | TURNS,
    "timers": HTTP_ALONE,
    "sweeper": (HTTP_ALONE - OPERATIONS) | TURNS,
}


@pytest.mark.parametrize("worker", WORKERS)
def test_a_function_behind_a_stream_or_queue_imports_nothing_that_it_does_not_need(worker: str) -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", WORKER, worker],
        cwd=root,
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted((WORKERS[worker] | NEVER) & {*done.stdout.split()}) == []
