"""Resources that a deployment adds to a service's own, and who may do what with them."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.todo.service import Todos, add_todo
from service_kit import Event, Service, command, subscription, task, workflow
from service_kit.deploy import Allow, Deployment, DeploymentOptions, GetAtt, Ref, Resource, Sub
from service_kit.errors import DefinitionError
from tests.deploy.conftest import Template, document, functions, of_type, statements


class Lent(Event):
    book: str


@command
async def lend(book: str) -> None:
    """Lend a book."""


@command
async def count() -> int:
    """Count the books."""
    return 0


@task
async def bind(book: str) -> None: ...


@task(inline=True)
async def stamp(book: str) -> None: ...


@workflow
async def repair(book: str) -> None:
    await bind(book)
    await stamp(book)


@subscription(Lent)
async def remember(event: Lent) -> None: ...


@task
async def strange() -> None: ...


class Library(Service, name="own-library"):
    lend = lend
    count = count
    repair = repair


SECRET = Resource("AWS::SecretsManager::Secret", {"GenerateSecretString": {"PasswordLength": 32}})
READ = Allow(["secretsmanager:GetSecretValue"], [Ref("Key")])
ONE, EACH = DeploymentOptions(), DeploymentOptions(functions="each")


def with_key(options: DeploymentOptions = ONE) -> Deployment:
    return Deployment(Library, options).add("Key", SECRET)


def readers(template: Template) -> set[str]:
    """Return the roles that may read the key."""
    return {role for role, statement in statements(template) if statement["Resource"] == [{"Ref": "Key"}]}


def test_a_resource_stands_in_the_template_with_an_output_of_its_name() -> None:
    template = document(with_key())
    assert of_type(template, "AWS::SecretsManager::Secret") == {"Key": SECRET.properties}
    assert template["Outputs"]["Key"]["Value"] == {"Ref": "Key"}


def test_every_function_learns_of_it_by_its_environment() -> None:
    template = document(with_key().environment(KEY=Ref("Key")).environment(SHELF=Sub("${Table.Arn}/x")))
    for function in functions(template).values():
        variables = function["Environment"]["Variables"]
        assert variables["KEY"] == {"Ref": "Key"}
        assert variables["SHELF"] == {"Fn::Sub": "${Table.Arn}/x"}


def test_what_was_in_the_environment_stays_there() -> None:
    options = DeploymentOptions(environment={"LEVEL": "debug"})
    variables = functions(document(with_key(options).environment(KEY=Ref("Key"))))["ApiFunction"][
        "Environment"
    ]
    assert variables["Variables"]["LEVEL"] == "debug"


def test_a_command_of_its_own_function_may_do_what_others_may_not() -> None:
    assert readers(document(with_key(EACH).allow(READ, Library.lend))) == {"LendRole"}
    assert readers(document(with_key().allow(READ, Library.lend))) == {"ApiRole"}


@pytest.mark.parametrize(
    ("options", "bind_role", "remember_role"),
    [(ONE, "TasksRole", "SubscriptionsRole"), (EACH, "BindTaskRole", "RememberSubscriptionRole")],
)
def test_tasks_and_subscriptions_are_allowed_what_they_need(
    options: DeploymentOptions, bind_role: str, remember_role: str
) -> None:
    assert readers(document(with_key(options).allow(READ, bind))) == {bind_role}
    assert readers(document(with_key(options).allow(READ, remember))) == {remember_role}
    assert readers(document(with_key(options).allow(READ, bind, remember))) == {bind_role, remember_role}


def test_an_inline_task_is_run_by_the_functions_that_take_turns_as_well() -> None:
    found = readers(document(with_key(EACH).allow(READ, stamp)))
    assert found == {"OrchestratorRole", "TimersRole", "StampTaskRole"}


def test_no_function_may_do_anything_with_what_nobody_is_allowed() -> None:
    assert readers(document(with_key().environment(KEY=Ref("Key")))) == set()


def test_resources_may_refer_to_the_service_and_to_each_other() -> None:
    policy = Resource(
        "AWS::SecretsManager::ResourcePolicy",
        {
            "SecretId": Ref("Key"),
            "ResourcePolicy": {
                "Statement": [{"Principal": {"AWS": GetAtt("ApiRole")}, "Resource": Sub("${Key}")}]
            },
        },
        depends_on=("Key",),
    )
    written = document(with_key().add("KeyPolicy", policy))["Resources"]["KeyPolicy"]
    assert written["DependsOn"] == ["Key"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: with_key().add("Key", SECRET), "two resources 'Key'"),
        (lambda: with_key().add("the-key", SECRET), "'the-key' is no name"),
        (lambda: with_key().add("Table", SECRET).template(), "'Table' of its own"),
        (lambda: with_key().add("ApiUrl", SECRET).template(), "'ApiUrl' of its own"),
        (lambda: with_key().allow(READ), "nobody is allowed"),
        (lambda: with_key().allow(READ, add_todo), "command 'add_todo' is not part of the service"),
        (lambda: Deployment(Todos).allow(READ, strange), "task 'strange' is not part of the service"),
        (lambda: Deployment(Todos).allow(READ, remember), "subscription 'remember' is not part"),
        (lambda: Deployment(Library).allow(READ, bind).template(), "refers to 'Key'"),
        (lambda: with_key().environment(KEY=Ref("Kee")).template(), "variable 'KEY' refers to 'Kee'"),
        (lambda: with_key().environment(KEY=Sub("${AWS::Region}/${Kee}")).template(), "refers to 'Kee'"),
        (lambda: with_key().environment(KEY=GetAtt("Kee")).template(), "refers to 'Kee'"),
        (
            lambda: with_key().configure(Library.lend, environment={"KEY": Ref("Kee")}).template(),
            "variable 'KEY' refers to 'Kee'",
        ),
        (
            lambda: with_key().add("Policy", Resource("AWS::X::Y", {"Of": [Ref("Kee")]})).template(),
            "resource 'Policy' refers to 'Kee'",
        ),
        (lambda: with_key().environment(SERVICE="x:Y").template(), "variable 'SERVICE' is taken"),
        (lambda: with_key().environment(SERVICE_KIT_TABLE="x").template(), "is taken"),
        (lambda: with_key().environment(AWS_REGION="x").template(), "is taken"),
        (
            lambda: with_key().environment(**{"the-key": "x"}).template(),
            "'the-key' is no environment variable",
        ),
    ],
)
def test_what_leads_nowhere_is_told_when_the_template_is_made(wrong: Any, told: str) -> None:
    with pytest.raises(DefinitionError, match="deployment of") as caught:
        wrong()
    assert told in caught.value.problem


def test_what_lambda_lets_one_set_can_be_set() -> None:
    template = document(with_key().environment(AWS_LAMBDA_EXEC_WRAPPER="/opt/wrap", TOPIC=Ref("AlarmTopic")))
    variables = functions(template)["ApiFunction"]["Environment"]["Variables"]
    assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/wrap"


def test_methods_change_nothing_of_the_deployment_that_they_are_called_on() -> None:
    first = Deployment(Library)
    first.add("Key", SECRET).environment(KEY=Ref("Key")).allow(READ, bind)
    assert "Key" not in document(first)["Resources"]
    assert "KEY" not in functions(document(first))["ApiFunction"]["Environment"]["Variables"]
