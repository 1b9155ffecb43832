"""Everything of the service in one process: HTTP, workflows, tasks, timers and subscriptions, kept in one folder."""

from __future__ import annotations

import os
from pathlib import Path

from plugins.orders.service import Orders
from service_kit import LocalHost
from service_kit.http import AsgiApplication


def application() -> AsgiApplication:
    """Return the application; what it has begun is in ORDERS_FOLDER, and goes on when it is started again."""
    return LocalHost(Orders, Path(os.environ.get("ORDERS_FOLDER", "."), "executions.db")).asgi()
