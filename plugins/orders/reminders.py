"""A mail every day, for ever."""

from __future__ import annotations

from plugins.orders.shop import shop
from service_kit import duration, idempotency_key, task, workflow


@task
async def send_reminder(email: str) -> None:
    # Each call of the task has a key of its own, and all its attempts have the same.
    await shop().mail.send(idempotency_key(), email, "You have goods in your basket")


@workflow
async def remind_daily(email: str) -> None:
    """Send a reminder every day until the execution is cancelled."""
    for _ in range(30):
        await duration(days=1)
        await send_reminder(email)
    # A month is history enough: the next run begins with an empty one.
    await remind_daily.continue_as_new(email)
