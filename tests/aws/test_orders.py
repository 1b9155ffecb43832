"""The orders plugin, deployed by one command to an emulator of AWS: its whole acceptance over the deployed API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import pytest

from client_kit import connect
from plugins.orders.dynamodb import DynamoNotes, DynamoOrders, ShopTable
from plugins.orders.service import Orders
from tests.aws.documents import check_documents
from tests.aws.emulator import Emulator
from tests.plugins.orders_acceptance import ACCEPTANCE
from tests.plugins.orders_bench import DEADLINE_S, Story, World, world_of

pytestmark = pytest.mark.usefixtures("localhost_names")


@pytest.fixture(scope="module")
def stack(aws: Emulator) -> Iterator[Mapping[str, str]]:
    with aws.deployed("tests.aws.deployments:orders", "orders") as outputs:
        yield outputs


@pytest.fixture
def url(aws: Emulator, stack: Mapping[str, str]) -> str:
    return aws.http_url(stack["ApiId"])


@pytest.fixture
def world(aws: Emulator, stack: Mapping[str, str]) -> World:
    """Return the world that the functions share: with full shelves, and nothing has happened in it."""
    client, name = aws.client("dynamodb"), stack["Shop"]
    for item in client.scan(TableName=name, ConsistentRead=True)["Items"]:
        client.delete_item(TableName=name, Key={key: item[key] for key in ("pk", "sk")})
    table = ShopTable(name, client)
    return world_of(DynamoOrders(table), DynamoNotes(table))


@pytest.mark.parametrize("story", ACCEPTANCE, ids=lambda story: story.__name__)
def test_on_aws(story: Story, url: str, world: World) -> None:
    async def run() -> None:
        async with connect(Orders, url) as orders, asyncio.timeout(2 * DEADLINE_S):
            await story(orders, world)

    asyncio.run(run())


def test_agents_find_the_manifest_and_the_specification_at_the_apis_own_url(url: str) -> None:
    check_documents(url)
