"""A published contract has the types of its service: five checkers reveal the same for both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification
from service_kit.publishing.definitions import Published
from service_kit.publishing.document.read import Document
from service_kit.publishing.document.service import publish_document
from tests.typing.checkers import CHECKERS, REVEAL, ROOT, Checker
from tests.typing.contracts.probes import EXAMPLES, FOLDER, Example, probe
from tests.typing.expectations import plain_type

HOMES = ("home", "published", "documented")
FILES = {(e.name, home): FOLDER / f"{e.name}_{home}.py" for e in EXAMPLES for home in HOMES}

NOT_IN_DOCUMENTS = {
    "orders": {
        *("process_order", "process_orders", "remind_daily"),  # workflows
        *("approved", "cancelled", "progress"),  # signals and states
        *("OrderCreated", "OrderShipped", "PaymentProcessed"),  # events
        *("CardDeclined", "OrderCancelled", "ParcelRefused"),  # errors of workflows
        *("Batch", "Progress", "Shipment"),  # models of workflows and states
    },
    "todo": set[str](),
}
"""Names of the services that an OpenAPI document cannot carry, beside those of aliases."""

ALIASES = {
    "Pipeline": "Literal['choreography', 'orchestration']",
    "Priority": "Literal['high', 'low', 'normal']",
    "PriorityFilter": "Literal['high', 'low', 'normal'] | None",
    "StatusFilter": "Literal['done', 'open'] | None",
}
"""Aliases that pyrefly shows by their names, which documents do not know, with what they stand for there."""


@pytest.fixture(scope="module", params=CHECKERS, ids=lambda checker: checker.name)
def revealed(request: pytest.FixtureRequest) -> Mapping[tuple[str, str], Mapping[str, str]]:
    """Return what a checker reveals of each expression, by service and home of the contract."""
    checker: Checker = request.param
    found = checker.check(list(FILES.values()))
    complaints = [d for d in found if d.code != REVEAL]
    assert not complaints, f"{checker.name} complains of {complaints}"
    return {
        key: {
            _expression(file, d.line): plain_type(d.message)
            for d in found
            if d.path == file.relative_to(ROOT).as_posix()
        }
        for key, file in FILES.items()
    }


def _expression(file: Path, line: int) -> str:
    """Return what is revealed on a line, and in which function of the probe."""
    lines = file.read_text().splitlines()
    function = next(text for text in reversed(lines[:line]) if "def " in text)
    return f"{function.partition('(')[0]}: {lines[line - 1].strip()}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_a_published_contract_reveals_the_same_types_as_the_service(
    revealed: Mapping[tuple[str, str], Mapping[str, str]], example: Example
) -> None:
    home = revealed[example.name, "home"]
    for name in contract_of(example.service).commands:
        assert f"async def commands: reveal_type(client.{name})" in home
    assert revealed[example.name, "published"] == home


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_a_contract_of_the_document_alone_reveals_the_same_but_for_names_of_aliases(
    revealed: Mapping[tuple[str, str], Mapping[str, str]], example: Example
) -> None:
    home, documented = revealed[example.name, "home"], revealed[example.name, "documented"]
    for expression, shown in documented.items():
        assert shown in (home[expression], _spelt_out(home[expression])), expression
    lost = {expression for expression in home if expression not in documented}
    assert {name for name in NOT_IN_DOCUMENTS[example.name] if any(name in e for e in lost)} == (
        NOT_IN_DOCUMENTS[example.name]
    )
    assert all(any(name in e for name in NOT_IN_DOCUMENTS[example.name]) for e in lost)


def _spelt_out(shown: str) -> str:
    for alias, meaning in sorted(ALIASES.items(), key=lambda pair: -len(pair[0])):
        shown = shown.replace(f": {alias} ", f": {meaning} ")
    return shown


def _documented(example: Example) -> Published:
    document: dict[str, Any] = build_specification(contract_of(example.service), url=None)
    return publish_document(Document(document))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_the_probes_ask_for_everything(example: Example) -> None:
    assert FILES[example.name, "home"].read_text() == probe(example.home, None)
    assert FILES[example.name, "published"].read_text() == probe(example.home, example.package)
    assert FILES[example.name, "documented"].read_text() == probe(_documented(example), example.from_document)
