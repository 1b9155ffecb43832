"""Lists that a service tells page by page: as much of one as was asked for, and a word where there is more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from client_kit.letters import PAGE_MOST
from service_kit.cli.output import tell

T = TypeVar("T")


async def entries(
    page: Callable[[int, str | None], Awaitable[tuple[Sequence[T], str | None]]], most: int | None
) -> tuple[list[T], bool]:
    """Return the first `most` entries of a list (None: all), and whether there are more.

    `page` asks for so many behind a cursor; it may give fewer, and those behind them are then in the next one.
    """
    found: list[T] = []
    after: str | None = None
    while True:
        size = PAGE_MOST if most is None else min(most - len(found), PAGE_MOST)
        some, after = await page(size, after)
        found += some
        if after is None or (most is not None and len(found) >= most):
            return found, after is not None


def tell_of_more(which: str, count: int) -> None:
    """Tell that a list was cut: to stderr, whatever form it has on stdout."""
    tell(f"only the {which} {count} shown; --all or a larger --limit shows more")
