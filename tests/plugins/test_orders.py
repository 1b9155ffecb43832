"""The acceptance of the orders service at home: everything in one process, orders and executions in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.orders_acceptance import ACCEPTANCE
from tests.plugins.orders_bench import Story, told_at_home, world_in


@pytest.mark.parametrize("story", ACCEPTANCE, ids=lambda story: story.__name__)
def test_at_home(story: Story, tmp_path: Path) -> None:
    told_at_home(world_in(tmp_path), tmp_path, story)
