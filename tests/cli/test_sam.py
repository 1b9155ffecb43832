"""`service-kit sam`, `deploy` and `destroy`, the last two with a stand-in for AWS's `sam`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Workshop

# Says what it was told, and answers for a stack.
STAND_IN = """#!/bin/sh
echo "$(basename "$PWD"): $*" >> "$SAM_LOG"
case "$1 $2" in
  "list stack-outputs") echo '[{"OutputKey": "ApiUrl", "OutputValue": "https://a.example.com"}]' ;;
  "build --template-file") test -z "$SAM_FAILS" ;;
esac
"""

DEPLOYMENT = """
from orders import Orders
from service_kit.deploy import Deployment, DeploymentOptions

deployment = Deployment(Orders, DeploymentOptions(runtime="python3.12")).configure(Orders.forget, memory_mb=2048)
"""

DURABLE = """
from service_kit import Service, workflow

@workflow
async def wait() -> None: ...

class Waiting(Service):
    wait = wait
"""


@pytest.fixture
def sam_log(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = workshop.folder / "bin" / "sam"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    monkeypatch.setenv("SERVICE_KIT_SAM", str(program))
    monkeypatch.setenv("SAM_LOG", str(workshop.folder / "sam.log"))
    return workshop.folder / "sam.log"


def test_the_template_goes_to_stdout_and_what_to_know_to_stderr(workshop: Workshop) -> None:
    result = workshop.run("sam", "orders", "--json")
    assert json.loads(result.stdout)["Transform"] == "AWS::Serverless-2016-10-31"
    assert "note: command 'tail' streams; API Gateway collects the answer" in result.stderr


def test_the_template_is_written_and_later_found_to_be_up_to_date(workshop: Workshop) -> None:
    assert (
        "wrote sam/orders/template.yaml"
        in workshop.run("sam", "orders", "-o", "sam/orders/template.yaml").stderr
    )
    checked = workshop.run("sam", "orders", "-o", "sam/orders/template.yaml", "--check")
    assert (checked.exit_code, checked.stdout) == (0, "")
    assert "sam/orders/template.yaml is up to date" in checked.stderr


def test_a_template_that_is_behind_fails_the_check_and_shows_the_difference(workshop: Workshop) -> None:
    workshop.run("sam", "orders", "-o", "template.yaml")
    text = Path("template.yaml").read_text()
    Path("template.yaml").write_text(text.replace("MemorySize: 512", "MemorySize: 128"))
    result = workshop.run("sam", "orders", "-o", "template.yaml", "--check")
    assert result.exit_code == 1
    assert "-      MemorySize: 128\n+      MemorySize: 512" in result.stderr
    assert "template.yaml is not what the service asks for" in result.stderr
    assert Path("template.yaml").read_text() != text
    assert "there is no other.yaml" in workshop.run("sam", "orders", "-o", "other.yaml", "--check").stderr


def test_a_check_needs_a_file(workshop: Workshop) -> None:
    result = workshop.run("sam", "orders", "--check")
    assert result.exit_code == 2
    assert "--check has no file to look at" in result.stderr


def test_options_choose_the_api_and_the_functions(workshop: Workshop) -> None:
    template = json.loads(
        workshop.run("sam", "orders", "--api", "rest", "--functions", "each", "--json").stdout
    )
    assert template["Resources"]["Api"]["Type"] == "AWS::Serverless::Api"
    assert "PlaceOrderFunction" in template["Resources"]


def test_a_deployment_says_everything_itself(workshop: Workshop) -> None:
    workshop.write("on_aws.py", DEPLOYMENT)
    template = json.loads(workshop.run("sam", "on_aws:deployment", "--json").stdout)
    function = template["Resources"]["ApiFunction"]["Properties"]
    assert (function["Runtime"], function["MemorySize"]) == ("python3.12", 2048)
    result = workshop.run("sam", "on_aws:deployment", "--api", "rest")
    assert result.exit_code == 2
    assert "change it there: DeploymentOptions(api='rest')" in result.stderr


def test_a_durable_service_gets_what_its_workflows_need(workshop: Workshop) -> None:
    workshop.write("waiting.py", DURABLE)
    template = json.loads(workshop.run("sam", "waiting", "--json").stdout)
    assert template["Resources"]["Table"]["Type"] == "AWS::DynamoDB::Table"
    assert "OrchestratorFunction" in template["Resources"]


def test_a_deployment_builds_what_it_wrote_and_shows_where_the_service_is(
    workshop: Workshop, sam_log: Path
) -> None:
    workshop.write("sam/samconfig.toml", "version = 0.1\n")
    result = workshop.run("deploy", "orders", "--stack", "orders-test", "--", "--region", "eu-west-1")
    assert result.exit_code == 0, result.output
    assert result.stdout == "ApiUrl: https://a.example.com\n"
    config = f"--config-file {workshop.folder / 'sam' / 'samconfig.toml'}"
    told = "--capabilities CAPABILITY_IAM --resolve-s3 --no-confirm-changeset --no-fail-on-empty-changeset"
    assert sam_log.read_text().splitlines() == [
        f"orders: build --template-file template.yaml {config}",
        f"orders: deploy --stack-name orders-test {told} {config} --region eu-west-1",
        "orders: list stack-outputs --stack-name orders-test --output json --region eu-west-1",
    ]
    template = yaml.compose(Path("sam/orders/template.yaml").read_text())
    assert template is not None
    assert Path("sam/orders/src/orders.py").is_file()
    assert "pydantic==" in Path("sam/orders/src/requirements.txt").read_text()


def test_outputs_are_written_as_json_for_programs(workshop: Workshop, sam_log: Path) -> None:
    result = workshop.run("deploy", "orders", "--json")
    assert result.exit_code == 0, (result.output, result.stderr, result.exception)
    assert json.loads(result.stdout) == {"ApiUrl": "https://a.example.com"}
    assert "--stack-name orders " in sam_log.read_text()


def test_a_build_that_fails_ends_the_deployment(
    workshop: Workshop, sam_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAM_FAILS", "yes")
    result = workshop.run("deploy", "orders")
    assert result.exit_code == 1
    assert "`sam build` failed (exit status 1)" in result.stderr
    assert len(sam_log.read_text().splitlines()) == 1


def test_the_sources_of_a_project_are_not_taken_for_what_was_put_together(
    workshop: Workshop, sam_log: Path
) -> None:
    workshop.write("src/precious.py", "precious = True")
    result = workshop.run("deploy", "orders", "-t", "template.yaml")
    assert result.exit_code == 2
    assert "src is there already, and service-kit has not written it" in result.stderr
    assert Path("src/precious.py").is_file()
    assert not sam_log.exists()


def test_a_missing_sam_is_told_before_anything_is_written(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SERVICE_KIT_SAM", raising=False)
    monkeypatch.setenv("PATH", str(workshop.folder))
    for command in (["deploy", "orders"], ["destroy", "orders", "--yes"]):
        result = workshop.run(*command)
        assert result.exit_code == 2
        assert "this needs AWS's command line 'sam', which is not on the path" in result.stderr
        assert "pipx install aws-sam-cli" in result.stderr
    assert not Path("sam").exists()


def test_a_stack_is_deleted_only_if_that_is_meant(workshop: Workshop, sam_log: Path) -> None:
    refused = workshop.run("destroy", "orders", stdin="n\n")
    assert refused.exit_code == 1
    assert "nothing was deleted" in refused.stderr
    assert not sam_log.exists()
    done = workshop.run("destroy", "orders", "--stack", "orders-test", "--yes", "--", "--region", "eu-west-1")
    assert "deleted stack orders-test" in done.stderr
    assert "delete --stack-name orders-test --no-prompts --region eu-west-1" in sam_log.read_text()
