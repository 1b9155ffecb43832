"""Which functions a template has, and what each is given."""

from __future__ import annotations

import pytest

from plugins.todo.service import Todos
from service_kit import DefinitionError, Service, command
from service_kit.deploy import Allow, Deployment, DeploymentOptions, Sub
from tests.deploy.conftest import Library, document, functions, of_type, routes, statements

EACH = DeploymentOptions(functions="each")


def test_one_function_runs_all_commands_with_what_the_largest_needs() -> None:
    template = document(Deployment(Library))
    [function] = functions(template).values()
    assert (function["MemorySize"], function["Timeout"]) == (1024, 30)
    assert function["Environment"]["Variables"] == {"SERVICE": "tests.deploy.conftest:Library"}
    assert function["Handler"] == "service_kit.hosts.aws.handler"
    assert set(routes(template).values()) == {"ApiFunction"}


def test_each_command_can_have_a_function_as_its_definition_says() -> None:
    template = document(Deployment(Library, EACH))
    found = functions(template)
    assert list(found) == ["ReadBookFunction", "AddPageFunction", "CountBooksFunction", "DocumentsFunction"]
    # The service answers after 2.5 s that it is late; its function must not be ended before.
    assert (found["ReadBookFunction"]["MemorySize"], found["ReadBookFunction"]["Timeout"]) == (256, 4)
    assert (found["AddPageFunction"]["MemorySize"], found["CountBooksFunction"]["MemorySize"]) == (1024, 512)
    led = routes(template)
    assert led["GET /books/{book_id}"] == led["POST /rpc/read_book"] == "ReadBookFunction"
    assert led["GET /openapi.json"] == led["GET /healthz"] == "DocumentsFunction"


def test_a_group_of_commands_shares_a_function() -> None:
    deployment = Deployment(Library).group("Pages", Library.add_page, Library.read_book)
    led = routes(document(deployment))
    assert led["POST /rpc/add_page"] == led["GET /books/{book_id}"] == "PagesFunction"
    assert led["POST /rpc/count_books"] == led["GET /openapi.json"] == "ApiFunction"


def test_what_is_configured_goes_before_the_definition() -> None:
    deployment = Deployment(Library, EACH).configure(
        Library.read_book, memory_mb=2048, timeout_s=9, concurrency=3, environment={"SHELF": "a"}
    )
    deployment = deployment.configure(Library.read_book, memory_mb=3008)
    function = functions(document(deployment))["ReadBookFunction"]
    assert (function["MemorySize"], function["Timeout"]) == (3008, 9)
    assert function["ReservedConcurrentExecutions"] == 3
    assert function["Environment"]["Variables"]["SHELF"] == "a"
    untouched = functions(document(Deployment(Library, EACH)))["ReadBookFunction"]
    assert untouched["MemorySize"] == 256
    assert "ReservedConcurrentExecutions" not in untouched


def test_every_function_has_a_role_a_log_group_and_alarms_of_its_own() -> None:
    template = document(Deployment(Library, EACH))
    groups = of_type(template, "AWS::Logs::LogGroup")
    for name, function in functions(template).items():
        stem = name.removesuffix("Function")
        assert function["Role"] == {"Fn::GetAtt": [f"{stem}Role", "Arn"]}
        assert function["LoggingConfig"] == {"LogGroup": {"Ref": f"{stem}Logs"}}
        assert groups[f"{stem}Logs"] == {"RetentionInDays": 30}
        for alarm in (f"{stem}Errors", f"{stem}Throttles"):
            [dimension] = template["Resources"][alarm]["Properties"]["Dimensions"]
            assert dimension == {"Name": "FunctionName", "Value": {"Ref": name}}


def test_a_function_may_write_its_own_logs_and_traces_and_nothing_else() -> None:
    for name, statement in statements(document(Deployment(Library, EACH))):
        stem = name.removesuffix("Role")
        if statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]:
            assert statement["Resource"] == [{"Fn::GetAtt": [f"{stem}Logs", "Arn"]}]
        else:
            assert statement["Action"] == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]


@pytest.mark.parametrize("service", [Library, Todos])
@pytest.mark.parametrize("functions", ["one", "each"])
def test_no_policy_has_a_wildcard_action_on_a_wildcard_resource(
    service: type[Service], functions: str
) -> None:
    options = EACH if functions == "each" else DeploymentOptions()
    for _, statement in statements(document(Deployment(service, options))):
        assert "*" not in "".join(statement["Action"])


def test_a_permission_goes_to_the_function_of_its_command_alone() -> None:
    table = Sub("arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/books")
    deployment = Deployment(Library, EACH).configure(
        Library.read_book, permissions=[Allow(["dynamodb:GetItem"], [table])]
    )
    holders = [name for name, s in statements(document(deployment)) if s["Action"] == ["dynamodb:GetItem"]]
    assert holders == ["ReadBookRole"]


@pytest.mark.parametrize(("actions", "resource"), [("*", "arn:aws:s3:::a"), ("s3:*", "*")])
def test_a_wildcard_permission_is_refused(actions: str, resource: str) -> None:
    with pytest.raises(DefinitionError, match="name the actions, or the resources"):
        Allow([actions], [resource])


def test_mistakes_are_told_with_a_cure() -> None:
    deployment = Deployment(Library)
    with pytest.raises(
        DefinitionError, match=r"command 'add_todo' is not part of the service; name one of its"
    ):
        deployment.configure(Todos.add_todo, memory_mb=512)
    with pytest.raises(DefinitionError, match="Lambda allows 128 to 10240 MB"):
        deployment.configure(Library.read_book, memory_mb=64)
    with pytest.raises(DefinitionError, match="Lambda allows 1 to 900 seconds"):
        deployment.configure(Library.read_book, timeout_s=901)
    with pytest.raises(DefinitionError, match="is in two groups, Pages and More"):
        deployment.group("Pages", Library.add_page).group("More", Library.add_page)
    with pytest.raises(DefinitionError, match="write it in CamelCase"):
        deployment.group("my_pages", Library.add_page)
    with pytest.raises(DefinitionError, match=r'give it a function of its own: \.group\("ReadBook", Library'):
        deployment.configure(Library.read_book, concurrency=1).template()
    with pytest.raises(DefinitionError, match="two of its commands want different values of SHELF"):
        deployment.configure(Library.read_book, environment={"SHELF": "a"}).configure(
            Library.add_page, environment={"SHELF": "b"}
        ).template()


def test_a_service_that_a_function_cannot_import_is_refused() -> None:
    class Hidden(Service):
        read_book = read_book_again

    with pytest.raises(DefinitionError, match="define the service at the top of a module"):
        Deployment(Hidden).template()


def test_commands_of_names_that_are_one_in_camel_case_keep_functions_of_their_own() -> None:
    found = functions(document(Deployment(Twins, EACH)))
    assert list(found) == ["AddBookFunction", "AddBook2Function", "DocumentsFunction"]


@command
async def read_book_again() -> None: ...


@command
async def add_book() -> None: ...


@command
async def addBook() -> None: ...


class Twins(Service):
    add_book = add_book
    addBook = addBook
