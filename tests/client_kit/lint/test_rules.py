"""The lint's rules on the cases: what is found, in which words, and what is left in peace."""

from __future__ import annotations

from pathlib import Path

import pytest

from client_kit.lint import RULES, LintFinding, Program, check_module
from tests.client_kit.lint.cases import CASES, expected, write_cases

ROOT = Path(__file__).resolve().parents[3]


SENTENCES = (
    """workflow 'outside': open reaches outside of the workflow, again in each replay;
    do it in a task, and await the task""",
    """workflow 'beside': asyncio.to_thread runs beside the workflow, in an order that no replay repeats;
    use asyncio.gather or a TaskGroup, or do it in a task""",
    """workflow 'through_others': wall differs from replay to replay (in shop.clocks.stamp, line 6);
    use workflow.now()""",
    """function 'forgets': the result of charge(...) is never awaited: it does not run;
    write 'await charge(...)'""",
    """subscription 'lost': no service gathers subscription 'lost': it never runs;
    list its module: class Shop(Service, include=[shop.forgotten])""",
    """command 'put': Missing is raised and not declared: callers get a 500 (in shop.deeper.refuse, line 5);
    add it to errors=[...] of command 'put', or catch it""",
)


def _found(folder: Path) -> list[tuple[str, LintFinding]]:
    program = Program.of("shop.service", str(folder / "shop/service.py"))
    return [(name, finding) for name in CASES for finding in check_module(program, f"shop.{name}")]


def test_every_mistake_is_found_at_its_line_and_nothing_else(tmp_path: Path) -> None:
    write_cases(tmp_path)
    assert {(name, finding.line, finding.code) for name, finding in _found(tmp_path)} == expected()


def test_every_rule_has_a_case() -> None:
    assert {code for _, _, code in expected()} == set(RULES)


def test_a_finding_says_what_where_and_what_to_do(tmp_path: Path) -> None:
    write_cases(tmp_path)
    said = {f"{f.subject}: {f.problem}; {f.cure}" for _, f in _found(tmp_path)}
    assert "workflow 'clocks_and_chance': time.time differs from replay to replay; use workflow.now()" in said
    for sentence in SENTENCES:
        assert " ".join(sentence.split()) in said


@pytest.mark.parametrize("package", ["plugins"])
def test_the_plugins_have_nothing_to_mend(package: str) -> None:
    program = Program(ROOT, package)
    assert [finding for name in program.files() for finding in check_module(program, name)] == []


def test_a_service_whose_parts_cannot_be_told_silences_the_rule(tmp_path: Path) -> None:
    write_cases(tmp_path)
    service = tmp_path / "shop/service.py"
    service.write_text(service.read_text().replace("include=[tasks]", "include=list(PARTS)"))
    assert "not-gathered" not in {finding.code for _, finding in _found(tmp_path)}


def test_a_package_without_a_service_is_somebody_elses_part(tmp_path: Path) -> None:
    write_cases(tmp_path)
    (tmp_path / "shop/service.py").write_text("")
    assert "not-gathered" not in {finding.code for _, finding in _found(tmp_path)}


def test_a_module_that_cannot_be_parsed_is_left_to_others(tmp_path: Path) -> None:
    write_cases(tmp_path)
    (tmp_path / "shop/clocks.py").write_text("def (:")
    found = {(name, finding.line, finding.code) for name, finding in _found(tmp_path)}
    lost = {
        (n, line, c) for n, line, c in expected() if n == "workflows" and "clocks.stamp()" in _line(n, line)
    }
    assert lost
    assert found.isdisjoint(lost)


def test_names_that_lead_back_to_themselves_are_no_riddle(tmp_path: Path) -> None:
    (tmp_path / "circles.py").write_text(
        """
import time
from service_kit import workflow

open = open
ping = pong
pong = ping
with where as path: ...
path = path.parent

@workflow
async def ask(x: int) -> float:
    open(x)
    ping(x)
    path.exists()
    return time.time()
"""
    )
    program = Program.of("circles", str(tmp_path / "circles.py"))
    assert [finding.line for finding in check_module(program, "circles")] == [16]


def _line(name: str, number: int) -> str:
    return CASES[name].splitlines()[number - 1]


def test_what_a_service_names_through_a_module_gathers_that_module_as_it_does_at_run_time(
    tmp_path: Path,
) -> None:
    (tmp_path / "shop").mkdir()
    sources = {
        "__init__": "",
        "tasks": "from service_kit import task\n@task\nasync def charge() -> None: ...\n",
        "flows": """
from service_kit import Event, subscription, workflow
from shop.tasks import charge
class Paid(Event): ...
@workflow
async def pay() -> None:
    await charge()
@subscription(Paid)
async def tell(event: Paid) -> None: ...
""",
        "service": """
from service_kit import Service
from shop import flows
class Shop(Service):
    pay = flows.pay
""",
    }
    for name, source in sources.items():
        (tmp_path / f"shop/{name}.py").write_text(source)
    program = Program(tmp_path, "shop")
    assert [finding for name in program.files() for finding in check_module(program, name)] == []
