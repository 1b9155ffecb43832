"""A service of very many tasks."""

from __future__ import annotations

from service_kit import Service, task, workflow
from service_kit.contract.task import Task


def _numbered(number: int) -> Task[[str], None]:
    async def numbered(sheet: str) -> None: ...

    numbered.__name__ = numbered.__qualname__ = f"numbered_{number}"
    return task(numbered)


globals().update({f"numbered_{number}": _numbered(number) for number in range(90)})


@workflow
async def numbering() -> None: ...


class Numbers(Service):
    numbering = numbering
