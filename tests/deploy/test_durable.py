"""The template of a service with workflows, tasks and events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.orders.service import Orders
from plugins.todo.service import Todos
from service_kit import Event, Retry, Service, subscription, task, workflow
from service_kit.contract.gather import gather
from service_kit.deploy import Deployment, DeploymentOptions
from service_kit.hosts.aws.host import Settings
from service_kit.messaging.queues import SUBSCRIPTION_KIND, queue_name
from service_kit.stores.dynamodb import keys
from tests.deploy.conftest import Template, document, functions, of_type, routes, statements
from tests.deploy.presses import Presses

ONE, EACH = DeploymentOptions(), DeploymentOptions(functions="each")


class Sent(Event):
    parcel: str


class Lost(Event, name="parcel.lost"):
    parcel: str


@task(timeout_s=20, memory_mb=1024, concurrency=7, retry=Retry(max_attempts=2))
async def pack(parcel: str) -> None: ...


@task(inline=True)
async def weigh(parcel: str) -> int:
    return 1


@workflow
async def send(parcel: str) -> None:
    await weigh(parcel)
    await pack(parcel)


@subscription(Sent | Lost)
async def tell(event: Sent | Lost) -> None: ...


class Parcels(Service):
    send = send


def template_of(options: DeploymentOptions = ONE) -> Template:
    return document(Deployment(Parcels, options))


def sources(template: Template) -> dict[str, Any]:
    return of_type(template, "AWS::Lambda::EventSourceMapping")


def test_a_service_of_commands_has_nothing_of_all_this() -> None:
    assert not sources(document(Deployment(Todos)))
    assert not of_type(document(Deployment(Todos)), "AWS::DynamoDB::Table")


def test_the_table_is_the_one_that_the_store_reads() -> None:
    template = template_of()
    table = of_type(template, "AWS::DynamoDB::Table")["Table"]
    defined = keys.table_definition("")
    for part in ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"):
        assert table[part] == defined[part]
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": keys.TTL, "Enabled": True}
    assert template["Resources"]["Table"]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("options", [ONE, EACH])
def test_every_function_is_told_what_its_host_reads(options: DeploymentOptions) -> None:
    for name, function in functions(template_of(options)).items():
        variables = function["Environment"]["Variables"]
        settings = Settings.of({key: json.dumps(value) for key, value in variables.items()})
        assert json.loads(settings.table) == {"Ref": "Table"}, name
        assert json.loads(settings.queue_prefix) == {"Fn::Sub": "${AWS::StackName}-"}
        assert settings.bucket is not None
        assert settings.schedule_group is not None
        assert settings.schedule_role is not None


def test_every_handler_is_there() -> None:
    from importlib import import_module

    for function in functions(template_of()).values():
        module, _, attribute = function["Handler"].rpartition(".")
        assert attribute == "handler"
        assert callable(vars(import_module(module)).get("__getattr__"))


def test_queues_and_bucket_are_closed_and_encrypted() -> None:
    template = template_of()
    for queue in of_type(template, "AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
    [bucket] = of_type(template, "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


@pytest.mark.parametrize("options", [ONE, EACH])
def test_each_task_and_subscription_has_the_queue_that_functions_look_for(options: DeploymentOptions) -> None:
    template = template_of(options)
    named = {
        q["QueueName"]["Fn::Sub"] for q in of_type(template, "AWS::SQS::Queue").values() if "QueueName" in q
    }
    prefix = "${AWS::StackName}-"
    found = gather(Parcels._contract)
    wanted = {prefix + queue_name("", name) for name in found.tasks}
    wanted |= {prefix + queue_name("", name, SUBSCRIPTION_KIND) for name in found.subscriptions}
    assert named == wanted == {f"{prefix}pack", f"{prefix}weigh", f"{prefix}on-tell"}


@pytest.mark.parametrize("options", [ONE, EACH])
def test_a_message_stays_with_a_function_as_long_as_that_may_run(options: DeploymentOptions) -> None:
    template = template_of(options)
    queues, all_functions = of_type(template, "AWS::SQS::Queue"), functions(template)
    checked = 0
    for source in sources(template).values():
        queue = queues.get(source["EventSourceArn"]["Fn::GetAtt"][0])
        if queue is not None:
            checked += 1
            assert queue["VisibilityTimeout"] >= all_functions[source["FunctionName"]["Ref"]]["Timeout"]
    assert checked == 4


def test_a_task_has_its_own_memory_time_and_concurrency() -> None:
    template = template_of(EACH)
    function = functions(template)["PackTaskFunction"]
    assert (function["MemorySize"], function["Timeout"]) == (1024, 30)
    source = sources(template)["PackTaskSource"]
    assert (source["BatchSize"], source["ScalingConfig"]) == (1, {"MaximumConcurrency": 7})
    assert "ScalingConfig" not in sources(template)["WeighTaskSource"]


def test_one_function_runs_all_tasks_unless_each_is_to_have_its_own() -> None:
    assert {"TasksFunction", "SubscriptionsFunction"} <= functions(template_of()).keys()
    assert {"PackTaskFunction", "TellSubscriptionFunction"} <= functions(template_of(EACH)).keys()
    assert sources(template_of())["PackTaskSource"]["FunctionName"] == {"Ref": "TasksFunction"}


def test_batches_are_answered_in_part_and_streams_go_on_past_what_fails() -> None:
    for name, source in sources(template_of()).items():
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
    for name in ("OrchestratorSource", "RelaySource"):
        source = sources(template_of())[name]
        assert source["BisectBatchOnFunctionError"] is True
        assert source["MaximumRetryAttempts"] < 10_000
        assert source["StartingPosition"] == "TRIM_HORIZON"
        assert source["DestinationConfig"]["OnFailure"]["Destination"] == {
            "Fn::GetAtt": ["StreamFailures", "Arn"]
        }


def test_a_stream_wakes_for_beginnings_arrivals_and_answers() -> None:
    filters = sources(template_of())["OrchestratorSource"]["FilterCriteria"]["Filters"]
    patterns = [json.loads(each["Pattern"]) for each in filters]
    assert len(patterns) <= 5, "Lambda takes five"
    sort_keys = [pattern["dynamodb"]["Keys"]["sk"]["S"] for pattern in patterns]
    assert sort_keys[:2] == [["meta"], [{"prefix": "a#"}]]
    for pattern in patterns[2:]:
        assert pattern["dynamodb"]["Keys"]["sk"]["S"] == [{"prefix": "t#"}]
        # A claim or a heartbeat wakes nobody.
        assert "answer" in pattern["dynamodb"]["NewImage"]


def test_a_subscription_gets_its_events_by_a_rule_and_nobody_else_may_send_them() -> None:
    template = template_of()
    rule = of_type(template, "AWS::Events::Rule")["TellSubscriptionRule"]
    assert rule["EventPattern"] == {"detail-type": ["Sent", "parcel.lost"]}
    [target] = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["TellSubscriptionQueue", "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["TellSubscriptionDeadLetters", "Arn"]}}
    for policy in of_type(template, "AWS::SQS::QueuePolicy").values():
        [statement] = policy["PolicyDocument"]["Statement"]
        assert statement["Resource"]["Fn::GetAtt"][0] == policy["Queues"][0]["Ref"]
        condition = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
        assert condition == {"Fn::GetAtt": ["TellSubscriptionRule", "Arn"]}


@pytest.mark.parametrize("options", [ONE, EACH])
@pytest.mark.parametrize("service", [Parcels, Orders])
def test_wildcards_stand_only_where_actions_know_no_resources(
    options: DeploymentOptions, service: type[Service]
) -> None:
    for name, statement in statements(document(Deployment(service, options))):
        assert "*" not in "".join(statement["Action"]), name
        if "*" in statement["Resource"]:
            assert set(statement["Action"]) <= {
                "xray:PutTelemetryRecords", "xray:PutTraceSegments", "dynamodb:ListStreams",
            }, name  # fmt: skip


def test_a_function_may_do_what_its_code_calls_and_no_more() -> None:
    allowed: dict[str, set[str]] = {}
    for role, statement in statements(template_of()):
        allowed.setdefault(role, set()).update(action.split(":")[0] for action in statement["Action"])
        allowed[role].update(statement["Action"])
    assert "events" not in allowed["DocumentsRole"]
    assert "scheduler" not in allowed["DocumentsRole"]
    assert "dynamodb:GetItem" not in allowed["RelayRole"]
    assert "sqs:ReceiveMessage" not in allowed["OrchestratorRole"]
    assert "dynamodb:GetRecords" not in allowed["TasksRole"]
    assert "events" not in allowed["TasksRole"]
    assert {"scheduler:CreateSchedule", "iam:PassRole"} <= allowed["OrchestratorRole"] & allowed["TimersRole"]


def test_a_task_receives_from_its_own_queue_alone() -> None:
    for role, statement in statements(template_of(EACH)):
        if "sqs:ReceiveMessage" in statement["Action"] and role.endswith("TaskRole"):
            stem = role.removesuffix("Role")
            assert statement["Resource"] == [{"Fn::GetAtt": [f"{stem}Queue", "Arn"]}]


def test_every_queue_of_what_was_given_up_has_an_alarm_and_so_have_delays_and_parked_executions() -> None:
    template = template_of()
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    watched = {
        d["Value"]["Fn::GetAtt"][0]
        for a in alarms.values()
        for d in a["Dimensions"]
        if d["Name"] == "QueueName"
    }
    queues = set(of_type(template, "AWS::SQS::Queue"))
    assert watched == {name for name in queues if name.endswith("DeadLetters")} | {"StreamFailures"}
    assert {"OrchestratorBehind", "RelayBehind", "ParkedExecutions", "TasksThrottles"} <= alarms.keys()


def test_callers_and_operators_reach_executions_by_the_api() -> None:
    led = routes(template_of())
    assert led["POST /rpc/{command}"] == led["ANY /_system/{proxy+}"] == "DocumentsFunction"


def test_a_task_that_may_run_once_at_a_time_is_told_to_run_twice() -> None:
    assert "task 'press' may run once at a time; Lambda takes two" in "\n".join(Deployment(Presses).notes())
    template = document(Deployment(Presses))
    assert sources(template)["PressTaskSource"]["ScalingConfig"] == {"MaximumConcurrency": 2}
