"""What the deployment of the orders plugin allows its code to do with the shop's table, beside what that code does.

No emulator asks policies before it answers, so the acceptance is told at home over a table that notes who calls.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

import boto3  # type: ignore[import-untyped] # it has no types
import pytest

from plugins.orders.dynamodb import DynamoNotes, DynamoOrders, ShopTable
from plugins.orders.on_aws import deployment
from plugins.orders.service import Orders
from service_kit.contract.gather import gather
from service_kit.contract.service import contract_of
from tests.plugins import orders_acceptance as acceptance
from tests.plugins.orders_bench import Story, told_at_home, world_of
from tests.plugins.test_orders_repository import new_table
from tests.stores.emulators import client_options

STORIES: list[Story] = [
    acceptance.more_than_there_is_cannot_be_ordered_and_nothing_is_begun,
    acceptance.several_orders_are_placed_all_or_none,
    acceptance.an_order_can_be_called_off_until_it_is_shipped,
    acceptance.a_dear_order_is_paid_for_after_somebody_has_approved_it,
    acceptance.one_order_of_a_batch_that_fails_stops_no_other,
    acceptance.money_is_given_back_once_even_if_the_banks_answers_are_lost,
    acceptance.an_event_that_is_published_twice_takes_the_money_once,
]
"""Those in which everything is called that touches the shop; the reminder's mail takes a day."""

ACTIONS = {
    "get_item": "GetItem",
    "query": "Query",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
}
Code = tuple[str, str]


def code_of_the_service() -> dict[CodeType, Code]:
    contract = contract_of(Orders)
    found = gather(contract)
    declared = [*contract.commands.values(), *found.tasks.values(), *found.subscriptions.values()]
    return {one.function.__code__: (one.kind, one.name) for one in declared}


class Watched(ShopTable):
    """A table that notes what is done with it, by which command, task or subscription."""

    code = code_of_the_service()

    def __init__(self, name: str, client: Any) -> None:
        super().__init__(name, client)
        self.done: dict[Code, set[str]] = {}

    async def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        for frame in _frames():
            if frame.f_code in self.code:
                kinds = [kind for item in request.get("TransactItems", ()) for kind in item] or [operation]
                self.done.setdefault(self.code[frame.f_code], set()).update(ACTIONS[kind] for kind in kinds)
        return await super()._call(operation, **request)


def _frames() -> Iterator[FrameType]:
    """Yield who waits for whom: a coroutine that runs is called by the one that awaits it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def allowed() -> dict[Code, set[str]]:
    found: dict[Code, set[str]] = {}
    for grant in deployment.grants:
        for code in grant.code:
            actions = (action.removeprefix("dynamodb:") for action in grant.permission.actions)
            found.setdefault(code, set()).update(actions)
    return found


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[Code, set[str]]:
    """Tell the stories, each in a world of its own; return what was done by whom."""
    client, done = boto3.client("dynamodb", **client_options("moto")), dict[Code, set[str]]()
    for story in STORIES:
        folder = tmp_path_factory.mktemp(story.__name__)
        table = Watched(new_table(client), client)
        told_at_home(world_of(DynamoOrders(table), DynamoNotes(table)), folder, story)
        for code, actions in table.done.items():
            done.setdefault(code, set()).update(actions)
    return done


def test_code_may_do_with_the_shop_what_it_does(done: dict[Code, set[str]]) -> None:
    may = allowed()
    assert {
        code: refused for code, actions in done.items() if (refused := actions - may.get(code, set()))
    } == {}
    assert may.keys() - done.keys() == {("task", "send_reminder")}


def test_commands_may_do_nothing_that_they_do_not_do(done: dict[Code, set[str]]) -> None:
    for code, actions in allowed().items():
        # What the doubles of the world outside do with their notes depends on what goes wrong.
        if code[0] == "command":
            assert actions == done[code], code
