"""The text of a template."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import yaml

from plugins.todo.service import Todos
from service_kit.deploy import Deployment, DeploymentOptions
from service_kit.deploy.rendering import to_yaml
from tests.deploy.conftest import Library, document


class ShortForms(yaml.SafeLoader):
    """Reads `!Ref` and its like as the long forms that JSON has."""


def _long(loader: Any, suffix: str, node: Any) -> Any:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if suffix == "GetAtt" else text}
    return {name: loader.construct_sequence(node, deep=True)}


ShortForms.add_multi_constructor("!", _long)


@pytest.mark.parametrize("api", ["http", "rest"])
def test_yaml_says_the_same_as_json(api: Any) -> None:
    deployment = Deployment(Library, DeploymentOptions(api=api, functions="each"))
    assert yaml.load(to_yaml(deployment.template()), ShortForms) == document(deployment)


def test_the_same_service_gives_the_same_bytes_in_every_process() -> None:
    program = (
        "from plugins.todo.service import Todos; from service_kit.deploy import Deployment; "
        "from service_kit.deploy.rendering import to_yaml; print(to_yaml(Deployment(Todos).template()), end='')"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {to_yaml(Deployment(Todos).template())}


def test_names_are_not_quoted_and_anchors_not_used() -> None:
    text = to_yaml(Deployment(Library, DeploymentOptions(functions="each")).template())
    assert "Role: !GetAtt ReadBookRole.Arn" in text
    assert "ApiId: !Ref Api\n" in text
    assert "&id" not in text


def test_outputs_name_the_api_its_documents_the_functions_and_their_logs() -> None:
    outputs = document(Deployment(Library))["Outputs"]
    assert list(outputs) == [
        "ApiId", "ApiUrl", "SpecificationUrl", "ManifestUrl", "ApiAccessLogGroup", "ApiFunction", "ApiLogs",
    ]  # fmt: skip


def test_alarms_go_to_a_topic_only_if_the_deployer_names_one() -> None:
    template = document(Deployment(Library))
    assert template["Parameters"]["AlarmTopic"]["Default"] == ""
    alarms = [
        r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"
    ]
    assert len(alarms) == 3
    for alarm in alarms:
        assert alarm["AlarmActions"] == {
            "Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]
        }
    without = document(Deployment(Library, DeploymentOptions(alarms=False)))
    assert "Parameters" not in without
    assert "AWS::CloudWatch::Alarm" not in {r["Type"] for r in without["Resources"].values()}
