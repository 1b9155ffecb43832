"""`service-kit check`: each mistake once, with its cure, and an exit status for CI."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Workshop

ROOT_DOCUMENTS = ["/openapi.json", "/openapi.yaml", "/llms.txt", "/logo.svg", "/legal", "/healthz", "/docs"]

CLEAN = """
from service_kit import Plugin, Service, command

@command(method="GET", path="/things/{id}")
async def get_thing(id: int) -> str:
    '''Get a thing.'''
    return ""

class Things(Service, plugin=Plugin(contact_email="a@b.org", legal_info_url="/terms", logo_url="/our.svg")):
    '''Keep things.'''
    get_thing = get_thing
"""


def _findings(workshop: Workshop, source: str, *options: str) -> list[dict[str, Any]]:
    """Return what is found in a module beside the placeholders that any young service has."""
    workshop.write("checked.py", source)
    result = workshop.run("check", "checked", "--json", "--ignore", "placeholder", *options)
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def _said(findings: list[dict[str, Any]]) -> list[str]:
    return [f"{f['severity']} {f['code']} {f['where']}: {f['problem']}" for f in findings]


def test_a_service_without_mistakes_passes(workshop: Workshop) -> None:
    workshop.write("clean.py", CLEAN)
    result = workshop.run("check", "clean:Things", "--strict")
    assert (result.exit_code, result.stdout) == (0, "clean:Things: nothing to mend\n")


def test_warnings_pass_unless_the_check_is_strict(workshop: Workshop) -> None:
    assert workshop.run("check", "orders").exit_code == 0
    assert workshop.run("check", "orders", "--strict").exit_code == 1


def test_findings_are_shown_with_severity_code_and_cure(workshop: Workshop) -> None:
    assert workshop.run("check", "orders").stdout == (
        "warning [placeholder] service 'orders', manifest: contact_email is still 'support@example.com'\n"
        "  set plugin=Plugin(contact_email=...) before you publish it\n"
        "warning [placeholder] service 'orders', manifest: legal_info_url is still '/legal'\n"
        "  set plugin=Plugin(legal_info_url=...) before you publish it\n"
        "warning [placeholder] service 'orders', manifest: logo_url is still '/logo.svg'\n"
        "  set plugin=Plugin(logo_url=...) before you publish it\n"
        "orders: 3 warnings\n"
    )


def test_a_code_can_be_ignored(workshop: Workshop) -> None:
    result = workshop.run("check", "orders", "--strict", "--ignore", "placeholder", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (
        0,
        {"service": "orders", "ok": True, "findings": []},
    )


def test_an_unknown_code_is_refused(workshop: Workshop) -> None:
    result = workshop.run("check", "orders", "--ignore", "placeholders")
    assert result.exit_code == 2
    assert "there is no code 'placeholders'" in result.stderr


def test_a_service_that_cannot_be_read_ends_with_status_2(workshop: Workshop) -> None:
    workshop.write("wrong.py", "1 / 0")
    for target in ("missing", "wrong", "orders:Order"):
        result = workshop.run("check", target, "--json")
        assert (result.exit_code, result.stdout) == (2, ""), target


def test_a_wrong_definition_is_a_finding(workshop: Workshop) -> None:
    source = """
    from service_kit import command

    @command(method="GET", path="/things/{id}")
    async def get_thing() -> str: ...
    """
    workshop.write("wrong.py", source)
    result = workshop.run("check", "wrong", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["findings"] == [
        {
            "severity": "error",
            "code": "definition",
            "where": "wrong.py:4: command 'get_thing' (wrong:get_thing)",
            "problem": "path parameter '{id}' does not exist",
            "cure": "add a parameter 'id' to the function, or take it out of the path",
        }
    ]


def test_limits_of_agents_are_found(workshop: Workshop) -> None:
    source = CLEAN.replace("'''Get a thing.'''", f"'''Get {'a ' * 200}thing.'''")
    found = _said(_findings(workshop, source))
    assert any(
        "warning agent-limit command 'get_thing'" in line and "agents read 300" in line for line in found
    )


@pytest.mark.parametrize(
    ("route", "problem"),
    [
        ("path='/docs'", "GET /docs replaces what the framework serves there"),
        ("path='/healthz'", "GET /healthz replaces what the framework serves there"),
        (
            "path='/{id}'",
            f"GET /{{id}} never sees {', '.join(ROOT_DOCUMENTS)}: the framework answers there",
        ),
    ],
)
def test_a_route_that_clashes_with_a_document_is_found(workshop: Workshop, route: str, problem: str) -> None:
    source = f"""
    from service_kit import Service, command

    @command(method="GET", {route})
    async def get_thing({"id: int" if "{id}" in route else ""}) -> str:
        '''Get a thing.'''
        return ""

    class Things(Service):
        '''Keep things.'''
        get_thing = get_thing
    """
    assert _said(_findings(workshop, source)) == [
        f"warning route-clash command 'get_thing' (checked:get_thing): {problem}"
    ]


def test_an_edited_specification_may_be_served_at_its_path(workshop: Workshop) -> None:
    source = """
    from typing import Any
    from service_kit import Service, command

    @command(method="GET", path="/openapi.json")
    async def edited() -> dict[str, Any]:
        '''Return the edited specification.'''
        return {}

    class Things(Service):
        '''Keep things.'''
        edited = edited
    """
    assert _findings(workshop, source) == []


def test_a_raw_route_that_is_never_reached_is_an_error(workshop: Workshop) -> None:
    source = """
    from fastapi import APIRouter
    from service_kit import Service, command

    router = APIRouter()

    @router.get("/things")
    def raw_things() -> str:
        return ""

    @router.get("/other")
    def raw_other() -> str:
        return ""

    @command(method="GET", path="/things")
    async def list_things() -> str:
        '''List things.'''
        return ""

    class Things(Service, routes=[router]):
        '''Keep things.'''
        list_things = list_things
    """
    problem = "it is never reached: a command or a built-in document answers there first"
    assert _said(_findings(workshop, source)) == [f"error route-clash raw route GET /things: {problem}"]


FIELDS = """
from dataclasses import dataclass
from typing import Annotated
from typing_extensions import TypedDict
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, computed_field
from service_kit import Service, ServiceError, command

class Fine(BaseModel):
    a: Annotated[str, Field(alias="A")]
    b: Annotated[str, Field(validation_alias=AliasChoices("c", "B"), serialization_alias="B")]
    c: Annotated[str, Field(exclude=True)] = ""
    @computed_field
    def d(self) -> str: return ""

class ByName(BaseModel):
    model_config = ConfigDict(validate_by_name=True)
    a: Annotated[str, Field(validation_alias="A")]

class Inner(BaseModel):
    read_one: Annotated[str, Field(validation_alias="one")]

@dataclass
class Second:
    write_two: Annotated[str, Field(serialization_alias="two")]

class Third(TypedDict):
    both: Annotated[str, Field(validation_alias="in", serialization_alias="out")]

class Hidden(BaseModel):
    secret: Annotated[str, Field(exclude=True)]

class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: list[Inner | None]
    @computed_field
    def total(self) -> int: return 0

class Failed(ServiceError):
    reason: Annotated[str, Field(serialization_alias="why")]

@command(errors=[Failed])
async def one(fine: Fine, by_name: ByName, second: Second) -> Strict:
    '''Do one.'''
    raise NotImplementedError

@command
async def two() -> tuple[Third, Hidden, dict[str, Inner]]:
    '''Do two.'''
    raise NotImplementedError

class Things(Service):
    '''Keep things.'''
    one = one
    two = two
"""


def test_fields_that_cannot_be_read_back_are_found_once_each(workshop: Workshop) -> None:
    computed = "it is computed, so it is written as 'total', and Strict refuses members that it does not know"
    assert sorted(_said(_findings(workshop, FIELDS))) == [
        "error unreadable-field Failed.reason: it is written as 'why' and read as 'reason'",
        "error unreadable-field Hidden.secret: it is required, and excluded when it is written",
        "error unreadable-field Inner.read_one: it is written as 'read_one' and read as 'one'",
        "error unreadable-field Second.write_two: it is written as 'two' and read as 'write_two'",
        f"error unreadable-field Strict.total: {computed}",
        "error unreadable-field Third.both: it is written as 'out' and read as 'in'",
    ]


def test_a_command_that_no_service_offers_is_found_in_the_module_and_in_included_ones(
    workshop: Workshop,
) -> None:
    workshop.write(
        "included.py",
        """
        from service_kit import command

        @command
        async def forgotten() -> None:
            '''Be forgotten.'''
        """,
    )
    source = """
    import included
    from orders import place_order  # declared elsewhere, and offered there
    from service_kit import Service, command

    @command
    async def offered() -> None:
        '''Be offered.'''

    again = offered

    @command
    async def lost() -> None:
        '''Be lost.'''

    class Things(Service, include=[included]):
        '''Keep things.'''
        under_another_name = offered
    """
    found = _findings(workshop, source)
    assert _said(found) == [
        "warning not-exposed command 'lost' (checked:lost): no service offers it, so nobody can call it",
        "warning not-exposed command 'forgotten' (included:forgotten): no service offers it, so nobody can call it",
    ]
    assert found[0]["cure"] == "write 'lost = lost' in the class Things, or take out the decorator"


def test_a_service_without_commands_is_found(workshop: Workshop) -> None:
    source = "from service_kit import Service\nclass Things(Service):\n    '''Keep things.'''\n"
    assert _said(_findings(workshop, source)) == [
        "warning no-commands service 'things': it has no commands and no workflows"
    ]
