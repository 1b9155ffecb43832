"""The templates under sam/ are those of the services as they are now."""

from __future__ import annotations

from pathlib import Path

import pytest

from service_kit.cli.deployments import load_deployment
from service_kit.deploy.rendering import to_yaml

SAM = Path(__file__).resolve().parents[2] / "sam"
SERVICES = {"orders": "plugins.orders.on_aws:deployment", "todo": "plugins.todo.service:Todos"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_committed_template_is_what_the_service_asks_for(name: str) -> None:
    file = SAM / name / "template.yaml"
    command = f"service-kit sam {SERVICES[name]} -o sam/{name}/template.yaml"
    expected = to_yaml(load_deployment(SERVICES[name]).template())
    assert file.read_text() == expected, f"write it anew: {command}"


def test_every_committed_template_is_kept_in_step() -> None:
    assert {file.parent.name for file in SAM.glob("*/template.yaml")} == set(SERVICES)
