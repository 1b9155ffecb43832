"""Templates of services that come near to what AWS takes: in names, in limits, in number."""

from __future__ import annotations

from typing import Literal

import pytest

from service_kit import DefinitionError
from service_kit.deploy import Deployment, DeploymentOptions
from tests.deploy.conftest import document, functions, of_type
from tests.deploy.crowded import Presses
from tests.deploy.many import Numbers

EACH = DeploymentOptions(functions="each")


@pytest.mark.parametrize("api", ["http", "rest"])
def test_a_command_may_be_named_as_the_function_of_a_task_or_the_role_of_the_timers(
    api: Literal["http", "rest"],
) -> None:
    template = document(Deployment(Presses, DeploymentOptions(functions="each", api=api)))
    assert {"PressTaskFunction", "PressTask2Function", "Schedule2Function"} <= functions(template).keys()
    assert template["Resources"]["PressTaskFunction"]["Properties"]["Handler"].endswith("tasks.handler")


@pytest.mark.parametrize("name", ["PressTask", "Schedule"])
def test_a_group_of_such_a_name_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError, match=f"there is a function '{name}' already"):
        Deployment(Presses, EACH).group(name, Presses.press_task).template()


def test_a_subscription_has_its_own_memory_and_concurrency() -> None:
    template = document(Deployment(Presses, EACH))
    assert functions(template)["StackSubscriptionFunction"]["MemorySize"] == 768
    source = of_type(template, "AWS::Lambda::EventSourceMapping")["StackSubscriptionSource"]
    assert (source["BatchSize"], source["ScalingConfig"]) == (1, {"MaximumConcurrency": 3})


def test_functions_that_take_turns_have_the_memory_of_workflows_and_inline_tasks() -> None:
    found = functions(document(Deployment(Presses)))
    assert [found[f"{name}Function"]["MemorySize"] for name in ("Orchestrator", "Timers", "Sweeper")] == [
        2_048,
        2_048,
        512,
    ]


def test_limits_that_lambda_does_not_keep_are_told() -> None:
    told = "\n".join(Deployment(Presses).notes())
    assert "task 'press' may take 3600 s, and Lambda ends functions after 900 s" in told
    assert "task 'press' has a rate, which each host keeps for itself" in told


def test_a_stack_has_no_more_resources_and_outputs_than_cloudformation_takes() -> None:
    template = document(Deployment(Numbers))
    assert len(template["Resources"]) <= 500
    assert len(template["Outputs"]) == 200
    assert {"ApiUrl", "Table", "Bucket"} <= template["Outputs"].keys()
    with pytest.raises(DefinitionError, match="CloudFormation makes 500 in a stack; choose functions='one'"):
        Deployment(Numbers, EACH).template()
