"""`service-kit check` on workflows, tasks, subscriptions and events."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Workshop
from tests.cli.durable import SERVICE

HEAD = """
import asyncio
import datetime
import random
import secrets
import time
import uuid
from datetime import date
from time import sleep
from service_kit import Event, Service, subscription, task, workflow

"""
CLASS = """
class Checked(Service):
    '''Check.'''
    run = run
"""


def _found(workshop: Workshop, source: str, module: str = "checked") -> list[str]:
    """Return what is found, placeholders left out, as `severity code where: problem; cure`."""
    workshop.write(f"{module}.py", source)
    result = workshop.run("check", module, "--json", "--ignore", "placeholder")
    found = json.loads(result.stdout)["findings"]
    return [f"{f['severity']} {f['code']} {f['where']}: {f['problem']}; {f['cure']}" for f in found]


def test_a_durable_service_without_mistakes_passes(workshop: Workshop) -> None:
    assert _found(workshop, SERVICE) == []


def test_a_service_of_workflows_alone_offers_something(workshop: Workshop) -> None:
    assert _found(workshop, HEAD + "@workflow\nasync def run() -> None: ...\n" + CLASS) == []


def test_two_tasks_of_one_name_are_found(workshop: Workshop) -> None:
    workshop.write("other.py", "from service_kit import task\n@task\nasync def pack() -> None: ...\n")
    source = HEAD + (
        "from other import pack as another\n"
        "@task\nasync def pack() -> None: ...\n"
        "@workflow\nasync def run() -> None:\n    await pack()\n    await another()\n"
    )
    (found,) = _found(workshop, source + CLASS)
    assert found == (
        "error definition task 'pack': two of this name belong to one service (other and checked); "
        "rename one: the name is what is stored"
    )


def test_annotations_that_name_nothing_are_found_each(workshop: Workshop) -> None:
    source = HEAD + (
        "@task\nasync def pack() -> 'Parcel': ...\n"
        "@workflow\nasync def private(order: 'Order') -> None: ...\n"
        "@workflow\nasync def run() -> None:\n    await pack()\n    await private(1)\n"
    )
    found = _found(workshop, source + CLASS)
    assert [f.split("; ")[0] for f in found] == [
        "error definition workflow 'private' (checked:private): an annotation names 'Order', which is not defined",
        "error definition task 'pack' (checked:pack): an annotation names 'Parcel', which is not defined",
    ]


@pytest.mark.parametrize("call", ["payments.charge()", "payments.pay_all()", "inside()"])
def test_a_task_of_a_module_that_is_not_gathered_is_found(workshop: Workshop, call: str) -> None:
    workshop.write(
        "payments.py",
        "from service_kit import task\n@task\nasync def charge() -> None: ...\n"
        "async def pay_all() -> None:\n    await charge()\n",
    )
    source = HEAD + (
        "import payments\n"
        "async def inside() -> None:\n    await asyncio.gather(*(payments.charge() for _ in range(3)))\n"
        f"@workflow\nasync def run() -> None:\n    await {call}\n"
    )
    (found,) = _found(workshop, source + CLASS)
    assert found.startswith("error not-gathered ")
    assert found.endswith(
        "workflow 'run' calls task 'charge' (payments:charge), which is not part of the service; "
        "list its module: class Checked(Service, include=[payments])"
    )
    gathered = CLASS.replace("(Service)", "(Service, include=[payments])")
    assert _found(workshop, source + gathered, "gathered") == []


def test_a_task_that_no_workflow_can_see_is_found(workshop: Workshop) -> None:
    workshop.write("elsewhere.py", "from service_kit import task\n@task\nasync def lost() -> None: ...\n")
    source = HEAD + (
        "import elsewhere\n"
        "@task\nasync def seen() -> None: ...\n"
        "@workflow\nasync def run() -> None:\n    await seen()\n"
    )
    (found,) = _found(workshop, source + CLASS.replace("(Service)", "(Service, include=[elsewhere])"))
    assert found == (
        "warning unseen-task task 'lost' (elsewhere:lost): no workflow can see it, so it never runs durably; "
        "call it in a workflow, or make it a plain function"
    )


@pytest.mark.parametrize(
    ("expression", "name", "cure"),
    [
        ("time.time()", "time.time", "use workflow.now()"),
        ("datetime.datetime.now()", "datetime.datetime.now", "use workflow.now()"),
        ("date.today()", "date.today", "use workflow.now()"),
        ("random.choice([1, 2])", "random.choice", "use workflow.random(), or do it in a task"),
        ("secrets.token_hex()", "secrets.token_hex", "do it in a task"),
        ("uuid.uuid4()", "uuid.uuid4", "use workflow.uuid4()"),
        ("sleep(1)", "sleep", "use 'await asyncio.sleep(...)'"),
        ("[time.monotonic() for _ in (1, 2)]", "time.monotonic", "use asyncio.get_running_loop().time()"),
    ],
)
def test_clocks_and_chance_in_workflows_are_found_with_their_line(
    workshop: Workshop, expression: str, name: str, cure: str
) -> None:
    source = HEAD + f"@workflow\nasync def run() -> None:\n    {expression}\n" + CLASS
    line = source.splitlines().index(f"    {expression}") + 1
    assert _found(workshop, source) == [
        f"warning nondeterminism checked.py:{line}, workflow 'run': {name} differs from replay to replay; {cure}"
    ]


def test_clocks_in_helpers_of_workflows_are_found_and_those_in_tasks_are_not(workshop: Workshop) -> None:
    source = HEAD + (
        "def stamp() -> float:\n    return time.time()\n"
        "@task\nasync def roll() -> float:\n    return random.random() + time.time()\n"
        "@workflow\nasync def run() -> None:\n    stamp()\n    await roll()\n    workflow.now()\n"
        "    datetime.datetime(2030, 1, 1)\n    random.Random(1).random()\n"
    )
    (found,) = _found(workshop, source + CLASS)
    assert found.startswith("warning nondeterminism checked.py:13, workflow 'run': time.time differs")


def test_two_events_of_one_name_are_found(workshop: Workshop) -> None:
    workshop.write("other.py", "from service_kit import Event\nclass Shipped(Event):\n    order: int\n")
    source = HEAD + (
        "import other\n"
        "class Shipped(Event):\n    order: str\n"
        "@subscription(other.Shipped)\nasync def hear(event: other.Shipped) -> None: ...\n"
        "@workflow\nasync def run() -> None: ...\n"
    )
    (found,) = _found(workshop, source + CLASS)
    assert found.startswith("error definition event 'Shipped': two of this name belong to one service")
    assert "rename one" in found


def test_a_filter_of_a_field_that_the_event_lacks_is_found(workshop: Workshop) -> None:
    source = HEAD + (
        "class Shipped(Event):\n    boxes: int\n"
        "@subscription(Shipped, match={'box': [{'numeric': ['>', 1]}]})\n"
        "async def deaf(event: Shipped) -> None: ...\n"
        "@subscription(Shipped, match={'boxes': [{'numeric': ['>', 1]}], 'gift': [{'exists': False}]})\n"
        "async def hears(event: Shipped) -> None: ...\n"
        "@workflow\nasync def run() -> None: ...\n"
    )
    (found,) = _found(workshop, source + CLASS)
    assert found == (
        "error definition checked.py:14: subscription 'deaf' (checked:deaf): match['box'] is no field of Shipped, so "
        "that it would hear nothing; match a field of the event, as its JSON names it: boxes"
    )
