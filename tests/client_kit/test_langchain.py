"""LangChain tools of a service: typed by a client, or read from a URL."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, Field

from client_kit import InProcessTransport, ProblemError, connect
from client_kit.auth.tokens import BearerToken
from client_kit.errors import InvalidOption
from client_kit.langchain import StreamLimits, tools
from client_kit.tools import RemoteService
from plugins.todo.service import Todos
from service_kit import Bearer, Refusal, Service, ServiceError, command
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification
from service_kit.publishing.document.read import Document
from service_kit.publishing.document.service import publish_document
from tests.publishing.packages import imported


class OutOfStock(ServiceError, status=409):
    """Fewer are left than were ordered."""

    left: int


class Item(BaseModel):
    sku: str
    note: str | None = None


UNSAID: Any = object()


@command(method="POST", path="/orders", errors=[OutOfStock])
async def order(sku: Annotated[str, Field(min_length=2, description="What")], quantity: int = 1) -> Item:
    """Order something."""
    if quantity > 5:
        raise OutOfStock(left=5)
    return Item(sku=sku * quantity)


@command
async def keep(item: Item, labels: list[str] | None = None, odd: Any = UNSAID) -> str:
    """Keep an item."""
    return f"{item.sku} {labels} {odd is UNSAID}"


@command
async def configure(config: str, schema: int, run_manager: bool = False) -> str:
    """Configure things."""
    return f"{config} {schema} {run_manager}"


@command
async def forget() -> None:
    """Forget everything."""


@command(errors=[OutOfStock])
async def count(to: int) -> AsyncIterator[int]:
    """Count."""
    for number in range(to):
        yield number
    if to == 3:
        raise OutOfStock(left=0)


@command
async def broken() -> int:
    """Break."""
    raise RuntimeError("a secret")


@command
async def closed() -> int:
    """Refuse."""
    raise Refusal(403, "not you")


class Shop(Service):
    order = order
    keep = keep
    configure = configure
    forget = forget
    count = count
    broken = broken
    closed = closed


@cache
def shop_of_its_document() -> Any:
    """Return the contract that another team would make of the shop's OpenAPI document."""
    document = Document(build_specification(contract_of(Shop), url="http://shop.test"))
    with TemporaryDirectory() as folder:
        return imported(publish_document(document), Path(folder)).Shop


@asynccontextmanager
async def toolbox(kind: str, limits: StreamLimits | None = None) -> AsyncIterator[dict[str, StructuredTool]]:
    transport = InProcessTransport(Shop.asgi())
    if kind != "document":
        contract: Any = Shop if kind == "typed" else shop_of_its_document()
        async with connect(contract, "http://shop.test", transport=transport) as client:
            yield {tool.name: tool for tool in tools(client, stream_limits=limits)}
    else:
        async with RemoteService("http://shop.test", transport=transport) as service:
            yield {tool.name: tool for tool in tools(service, stream_limits=limits)}


def use(kind: str, name: str, arguments: dict[str, Any], limits: StreamLimits | None = None) -> ToolMessage:
    """Return the message that a model gets for its call; async and sync tools say the same."""

    async def run() -> ToolMessage:
        async with toolbox(kind, limits) as found:
            sent = {"type": "tool_call", "id": "c-1", "name": name, "args": arguments}
            answer = await found[name].ainvoke(sent)
            again = await asyncio.to_thread(found[name].invoke, sent)
            assert (answer.content, answer.status) == (again.content, again.status)
            assert isinstance(answer, ToolMessage)
            return answer

    return asyncio.run(run())


EACH = pytest.mark.parametrize("kind", ["typed", "document", "contract"])


@EACH
def test_every_command_is_a_tool_that_model_apis_can_read(kind: str) -> None:
    async def read() -> dict[str, Any]:
        async with toolbox(kind) as found:
            return {name: convert_to_openai_tool(tool)["function"] for name, tool in found.items()}

    shown = asyncio.run(read())
    assert set(shown) == {"order", "keep", "configure", "forget", "count", "broken", "closed"}
    assert shown["order"]["description"] == "Order something."
    properties = shown["order"]["parameters"]["properties"]
    assert properties["sku"] == {"type": "string", "minLength": 2, "description": "What"}
    assert properties["quantity"]["default"] == 1
    assert shown["order"]["parameters"]["required"] == ["sku"]
    assert shown["keep"]["parameters"]["properties"]["odd"].get("default") is None


@EACH
def test_a_model_reads_the_result_as_json(kind: str) -> None:
    answer = use(kind, "order", {"sku": "ab", "quantity": 2})
    assert (answer.content, answer.status) == ('{"sku":"abab","note":null}', "success")
    assert use(kind, "forget", {}).content == "done"


def test_the_artifact_of_a_typed_tool_has_its_type() -> None:
    assert use("typed", "order", {"sku": "ab"}).artifact == Item(sku="ab")
    assert use("document", "order", {"sku": "ab"}).artifact == {"sku": "ab", "note": None}


@EACH
def test_a_declared_error_is_told_to_the_model_with_its_fields(kind: str) -> None:
    answer = use(kind, "order", {"sku": "ab", "quantity": 9})
    assert answer.status == "error"
    assert str(answer.content).startswith("OutOfStock: Out of stock (left=5)")


@EACH
def test_arguments_that_do_not_fit_are_told_each_with_its_reason(kind: str) -> None:
    answer = use(kind, "order", {"sku": "a", "quantity": "many"})
    assert answer.status == "error"
    told = str(answer.content).splitlines()
    assert told[0] == "The arguments do not fit:"
    assert {line.partition(":")[0] for line in told[1:]} == {"sku", "quantity"}


@EACH
@pytest.mark.parametrize(("name", "status"), [("broken", 500), ("closed", 403)])
def test_what_a_model_cannot_mend_is_raised_to_the_program(kind: str, name: str, status: int) -> None:
    with pytest.raises(ProblemError) as caught:
        use(kind, name, {})
    assert caught.value.status == status


@EACH
def test_names_that_langchain_and_pydantic_take_are_arguments_all_the_same(kind: str) -> None:
    schema = "schema" if kind == "document" else "schema_"
    arguments = {"config_": "c", schema: 7, "run_manager_": True}
    assert use(kind, "configure", arguments).content == '"c 7 True"'


@EACH
def test_models_lists_and_defaults_without_json_arrive(kind: str) -> None:
    assert use(kind, "keep", {"item": {"sku": "s"}, "labels": ["a"]}).content == "\"s ['a'] True\""
    assert use(kind, "keep", {"item": {"sku": "s"}}).content == '"s None True"'


@EACH
def test_a_stream_is_a_list_of_its_first_items(kind: str) -> None:
    assert use(kind, "count", {"to": 2}).content == "[0,1]"
    cut = use(kind, "count", {"to": 9}, StreamLimits(items=2))
    assert cut.content == "[0,1]\nThere is more: these are the first 2."
    assert cut.artifact == [0, 1]
    assert use(kind, "count", {"to": 2}, StreamLimits(items=2)).content == "[0,1]"


@EACH
def test_an_error_at_the_end_of_a_stream_is_told(kind: str) -> None:
    answer = use(kind, "count", {"to": 3})
    assert (answer.status, str(answer.content)[:10]) == ("error", "OutOfStock")


def test_some_tools_can_be_chosen_and_a_wrong_name_is_told() -> None:
    async def choose() -> None:
        async with connect(Shop, "http://shop.test", transport=InProcessTransport(Shop.asgi())) as client:
            assert [tool.name for tool in tools(client, names=["order", "forget"])] == ["order", "forget"]
            with pytest.raises(InvalidOption, match=r"names has 'odrer'; choose from broken, closed"):
                tools(client, names=["odrer"])
            with pytest.raises(InvalidOption, match="auth is given beside a client"):
                tools(client, auth=BearerToken("t"))

    asyncio.run(choose())


def test_what_is_no_client_is_told() -> None:
    with pytest.raises(InvalidOption, match="is of the type dict, which has no commands"):
        tools({})


def test_tools_of_a_guarded_service_send_the_credentials() -> None:
    async def verify(token: str) -> str | None:
        return "ann" if token == "sesame" else None

    guard = Bearer(verify)

    @command
    async def whoami() -> str:
        """Say who calls."""
        return guard.caller()

    class Guarded(Service, security=[guard]):
        locals().update(whoami=whoami)

    async def call() -> Any:
        transport = InProcessTransport(Guarded.asgi())
        async with RemoteService(
            "http://shop.test", transport=transport, auth=BearerToken("sesame")
        ) as service:
            return await tools(service)[0].ainvoke({})

    assert asyncio.run(call()) == '"ann"'


def test_a_published_contract_gives_the_same_tools_as_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "stubs"))
    published: Any = importlib.import_module("todo_contract").Todos

    async def use(contract: Any) -> tuple[dict[str, Any], str]:
        transport = InProcessTransport(Todos.asgi())
        async with connect(contract, "http://todo.test", transport=transport) as client:
            found = {tool.name: tool for tool in tools(client)}
            missing = await found["get_todo"].ainvoke({"todo_id": 4711})
            shown = [convert_to_openai_tool(tool)["function"] for tool in found.values()]
            return {function["name"]: function["parameters"] for function in shown}, missing

    assert asyncio.run(use(published)) == asyncio.run(use(Todos))
