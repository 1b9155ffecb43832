"""Operations of a document as function tools: what is read, what is strict, what a call becomes."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Annotated, Any, cast

import pytest
from openapi_schema_validator import OAS31Validator
from pydantic import BaseModel, Field

from client_kit import ApiKeyAuth, BoundCommand, ClientOptions, InProcessTransport
from client_kit.contracts.texts import WrongArguments
from client_kit.errors import InvalidOption
from client_kit.tools import RemoteService, offer_tools, read_operations, without_nulls
from client_kit.tools.operations import Operation
from client_kit.tools.requests import OperationContract
from client_kit.tools.strict import ANTHROPIC, OPENAI, fit
from plugins.orders.service import Orders
from plugins.todo.service import Todos
from service_kit import Header, Service, command
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification, downgrade


class Address(BaseModel):
    """Where somebody lives."""

    street: str
    door: int | None = None


class Person(BaseModel):
    name: Annotated[str, Field(max_length=20)]
    home: Annotated[Address, Field(description="Where mail goes")]
    friends: list[Person] = []


@command(method="PUT", path="/people/{name}", consequential=False)
async def move(
    name: str, to: Address, when: date, trace: Annotated[str, Header()] = "", force: bool = False
) -> None:
    """Move somebody."""


@command
async def meet(person: Person) -> str:
    """Meet somebody."""
    return person.name


@command
async def label(texts: dict[str, str], spot: tuple[int, int] | None = None) -> int:
    """Put labels on things."""
    return len(texts)


@command(method="GET", path="/find")
async def find(tags: list[str], near: str | None = None) -> list[str]:
    """Find things."""
    return [*tags, near or ""]


class People(Service):
    move = move
    meet = meet
    label = label
    find = find


def document(service: type[Service] = People) -> dict[str, Any]:
    return build_specification(contract_of(service), url="http://people.test")


def operation(name: str) -> Any:
    return next(o for o in read_operations(document())[0] if o.name == name)


def test_arguments_of_path_header_and_body_are_members_of_one_object() -> None:
    found = operation("move")
    assert (found.method, found.path, found.consequential) == ("PUT", "/people/{name}", False)
    assert list(found.parameters["properties"]) == ["name", "trace", "to", "when", "force"]
    assert found.parameters["required"] == ["name", "to", "when"]
    assert found.parameters["$defs"]["Address"]["properties"].keys() == {"street", "door"}
    OAS31Validator(found.parameters).validate({"name": "ann", "to": {"street": "Main"}, "when": "2030-01-01"})


def test_a_call_is_sent_where_the_document_says() -> None:
    request = OperationContract(operation("move")).encode_request(
        (), {"name": "a/b", "to": {"street": "Main"}, "when": "2030-01-01", "trace": "t-1"}
    )
    assert (request.method, request.target) == ("PUT", "/people/a%2Fb")
    assert request.headers == {"trace": "t-1", "content-type": "application/json"}
    assert json.loads(request.body) == {"to": {"street": "Main"}, "when": "2030-01-01"}
    query = OperationContract(operation("find")).encode_request((), {"tags": ["a", "b&c"], "near": None})
    assert (query.target, query.body) == ("/find?tags=a&tags=b%26c", b"")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_argument_cannot_lead_to_another_path(name: str) -> None:
    with pytest.raises(WrongArguments, match="takes a name or number as 'name'"):
        OperationContract(operation("move")).encode_request((), {"name": name})


def test_parameters_that_are_the_clients_own_or_nowhere_are_left_out() -> None:
    named = [("header", "Authorization"), ("header", "X-Tag"), ("body", "b"), ("query", "q"), ("cookie", "c")]
    parameters = [{"in": place, "name": name} for place, name in named]
    [found], _ = read_operations({"paths": {"/x": {"get": {"parameters": parameters}}}})
    assert list(found.places) == ["X-Tag", "q", "c"]
    sent = OperationContract(found).encode_request((), {"X-Tag": ["a", 1], "q": [True, "b c"], "c": "x; y=1"})
    assert (sent.target, sent.headers) == ("/x?q=true&q=b%20c", {"x-tag": "a,1", "cookie": "c=x%3B%20y=1"})


def test_unknown_and_missing_arguments_are_told() -> None:
    with pytest.raises(WrongArguments, match=r"find\(\) takes arguments by name, of \['near', 'tags'\]"):
        OperationContract(operation("find")).encode_request((), {"tag": "a"})
    with pytest.raises(WrongArguments, match="missing its argument 'name'"):
        OperationContract(operation("move")).encode_request((), {})


def test_every_strict_tool_of_openai_closes_and_requires_every_object() -> None:
    offer = offer_tools(read_operations(document())[0], "openai")
    tools = {tool["function"]["name"]: tool["function"] for tool in offer.tools}
    assert [name for name, tool in tools.items() if tool["strict"]] == ["move", "find", "meet"]
    for node in _objects(tools["meet"]["parameters"]):
        assert (node["additionalProperties"], node["required"]) == (False, list(node["properties"]))
    person = tools["meet"]["parameters"]["properties"]
    assert person["home"] == {"anyOf": [{"$ref": "#/$defs/Address"}], "description": "Where mail goes"}
    assert tools["find"]["parameters"]["properties"]["near"]["type"] == ["string", "null"]
    assert offer.dropped == {"meet": ["name: maxLength", "Person.name: maxLength"]}
    assert "maxLength: 20" in person["name"]["description"]


def test_it_is_said_which_tool_cannot_be_strict_and_why() -> None:
    operations = read_operations(document())[0]
    openai, anthropic = offer_tools(operations, "openai"), offer_tools(operations, "anthropic")
    assert openai.not_strict == {"label": ["'texts' has members of any name", "'spot' is a tuple"]}
    assert anthropic.not_strict == {"label": openai.not_strict["label"], "meet": ["a type contains itself"]}
    [label_tool] = [tool for tool in openai.tools if tool["function"]["name"] == "label"]
    assert label_tool["function"]["strict"] is False
    assert label_tool["function"]["parameters"] == operation("label").parameters
    assert ["strict" in tool for tool in anthropic.tools if tool["name"] in openai.not_strict] == [False]


def test_without_strict_the_schemas_stay_as_they_are() -> None:
    offer = offer_tools(read_operations(document())[0], "anthropic", strict=False)
    assert all("strict" not in tool for tool in offer.tools)
    assert offer.tools[0]["input_schema"] == operation(offer.tools[0]["name"]).parameters
    assert (offer.not_strict, offer.dropped) == ({}, {})


def test_limits_of_one_request_are_told() -> None:
    offer = offer_tools([operation("find")] * 30, "anthropic")
    assert offer_tools([operation("find")] * 129, "openai").limits == [
        "129 functions, and a request takes 128: offer those that are needed"
    ]
    assert offer.limits == [
        "30 strict tools, and a request takes 20: offer fewer, or with --no-strict",
        "30 optional parameters of strict tools, and a request takes 24: offer fewer, or with --no-strict",
    ]


@pytest.mark.parametrize("service", [Todos, Orders])
def test_every_command_of_the_plugins_is_strict_everywhere(service: type[Service]) -> None:
    operations, unusable = read_operations(document(service))
    assert {o.name for o in operations} == set(contract_of(service).commands)
    assert not unusable
    for subset in (OPENAI, ANTHROPIC):
        for found in operations:
            assert fit(found.parameters, subset).reasons == [], found.name
            OAS31Validator.check_schema(fit(found.parameters, subset).schema)


def test_nulls_that_stand_for_absent_members_are_taken_out_and_others_stay() -> None:
    schema = operation("meet").parameters
    sent = {"name": "ann", "home": {"street": "Main", "door": None}, "friends": None}
    assert without_nulls(schema, sent) == {"name": "ann", "home": {"street": "Main", "door": None}}
    nested = {**sent, "friends": [{**sent, "name": "ben"}]}
    assert without_nulls(schema, nested)["friends"] == [
        {"name": "ben", "home": {"street": "Main", "door": None}}
    ]


def test_a_document_of_3_0_says_null_in_its_own_way() -> None:
    old = {o.name: o.parameters for o in read_operations(downgrade(document()))[0]}
    assert old["meet"]["$defs"]["Address"]["properties"]["door"]["type"] == ["integer", "null"]


def test_what_takes_no_json_is_left_out_with_the_reason() -> None:
    foreign = {
        "paths": {
            "/files": {"post": {"requestBody": {"content": {"multipart/form-data": {}}}}},
            "/a b/{id}": {"get": {"parameters": [{"in": "path", "name": "id", "required": True}]}},
        }
    }
    operations, unusable = read_operations(foreign)
    assert [o.name for o in operations] == ["get_a_b_id"]
    assert unusable == {"post_files": "its body is multipart/form-data, not JSON"}


def test_a_remote_service_is_called_by_its_document_alone() -> None:
    async def use() -> tuple[Any, Any]:
        async with RemoteService(
            "http://people.test", transport=InProcessTransport(People.asgi())
        ) as service:
            by_name = {o.name: service.bind(o) for o in service.operations}
            met = await by_name["meet"](name="ann", home={"street": "Main"})  # type: ignore[misc]  # it is no stream
            found = await by_name["find"](tags=["a", "b"])  # type: ignore[misc]  # neither is this
            return met, found

    assert asyncio.run(use()) == ("ann", ["a", "b", ""])


def test_credentials_do_not_go_to_another_host_that_a_document_names() -> None:
    service = RemoteService("https://people.test", auth=ApiKeyAuth("secret"))
    with pytest.raises(InvalidOption, match=r"sends calls to 'evil\.test'"):
        service.read({"paths": {}, "servers": [{"url": "https://evil.test"}]})
    RemoteService("https://people.test").read({"paths": {}, "servers": [{"url": "https://other.test/v1"}]})


def test_headers_of_the_client_do_not_go_to_another_host_either() -> None:
    service = RemoteService("https://people.test", options=ClientOptions(headers={"x-api-key": "secret"}))
    with pytest.raises(InvalidOption, match=r"sends calls to 'evil\.test'.*neither auth nor headers"):
        service.read({"paths": {}, "servers": [{"url": "https://evil.test"}]})


@pytest.mark.parametrize("path", ["@evil.test/steal", ".evil.test/steal", ":1@evil.test", ""])
def test_no_path_of_a_document_leads_to_another_host(path: str) -> None:
    paths = {path: {"get": {"operationId": "steal"}}, "x-y": {"get": {}}}
    assert read_operations({"paths": paths}) == ([], {"steal": f"its path '{path}' does not begin with '/'"})
    transport = InProcessTransport(People.asgi())
    service = RemoteService("https://people.test", auth=ApiKeyAuth("secret"), transport=transport)
    bound = cast(BoundCommand[..., Any], service.bind(Operation("steal", "", "GET", path, {})))
    with pytest.raises(
        InvalidOption, match="'steal' does not begin with '/', and could lead to another host"
    ):
        asyncio.run(bound())


def test_options_of_a_remote_service_are_checked_as_those_of_a_client_are() -> None:
    with pytest.raises(InvalidOption, match=r"timeout_s is -1; give seconds above zero"):
        RemoteService("https://people.test", timeout_s=-1)


def test_calls_keep_the_scheme_that_the_caller_chose_behind_a_proxy() -> None:
    service = RemoteService("https://people.test/api", auth=ApiKeyAuth("secret"))
    service.read({**document(), "servers": [{"url": "http://people.test/api"}]})
    command = service.bind(service.operations[0])
    assert command._line.endpoint.url.startswith("https://people.test/api/people/")


def test_a_url_without_a_document_is_told() -> None:
    with pytest.raises(
        InvalidOption, match=r"serves no OpenAPI document; look at http://people\.test/openapi\.json"
    ):
        RemoteService("http://people.test").read([])


def _objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [node for item in schema for node in _objects(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [node for value in schema.values() for node in _objects(value)]
