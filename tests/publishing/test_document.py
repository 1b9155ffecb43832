"""Contracts of services that are known by their OpenAPI document alone; the calls go to real servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel, Field

from client_kit import ContractDrift, ProblemError, connect
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification, downgrade
from service_kit.publishing.document.read import Document, Unreadable, read_document
from service_kit.publishing.document.service import publish_document
from tests.client_kit.conftest import Serve
from tests.publishing import shop, zoo
from tests.publishing.packages import imported, text_of

YAML = Path(__file__).with_name("shop.yaml")

Use = Callable[[Any], Coroutine[Any, Any, Any]]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return imported(publish_document(read_document(str(YAML))), tmp_path_factory.mktemp("shop"))


@pytest.fixture
def use(serve: Serve, package: ModuleType) -> Callable[[Use], Any]:
    """Run a function with a client of the running shop."""
    url = serve(shop.app) + "/v1"
    shop.asked.clear()

    def run(program: Use) -> Any:
        async def within() -> Any:
            async with connect(package.PetShopApi, url) as client:
                return await program(client)

        return asyncio.run(within())

    return run


def test_parameters_travel_where_and_how_the_document_says(use: Callable[[Use], Any]) -> None:
    pet = use(
        lambda client: client.getPet(
            7, "t-1", "s", ["name", "size"], ["a", "b"], {"color": "red"}, True, date(2020, 1, 2)
        )
    )
    assert shop.asked[0] | {"body": b""} == {
        "method": "GET",
        "path": "/v1/pets/7",
        "query": [
            ("fields", "name,size"), ("tag", "a"), ("tag", "b"), ("filter[color]", "red"), ("verbose", "true"),
            ("on", "2020-01-02"),
        ],
        "trace": "t-1",
        "cookies": {"session": "s"},
        "kind": "",
        "body": b"",
    }  # fmt: skip
    assert (pet.id, pet.status.value, pet.favourite_food, pet.toys) == (7, "for-sale", "bone", {"ball"})
    assert (type(pet.look).__name__, pet.look.count) == ("Scales", 3)
    assert pet.data == {"a": ["b", {"c": "d"}]}


def test_what_is_not_given_is_not_sent(use: Callable[[Use], Any], package: ModuleType) -> None:
    use(lambda client: client.getPet(7))
    assert shop.asked[0]["query"] == []
    sparse = package.Pet(name="rex", status=package.PetStatus.SOLD, owner=None, favourite_food="bone")
    echoed = use(lambda client: client.replacePet(7, sparse))
    assert json.loads(shop.asked[1]["body"]) == {
        "name": "rex", "status": "sold", "owner": None, "favourite-food": "bone", "copy": False,
    }  # fmt: skip
    assert echoed == sparse


def test_bodies_of_every_kind_are_sent(use: Callable[[Use], Any], package: ModuleType) -> None:
    body = package.PostPetsBody(name="xo", class_="dog")
    assert use(lambda client: client.post_pets(body)) == {"name": "xo", "class": "dog"}
    assert use(lambda client: client.upload(b"\x00\r\n--", note="hi")) == "thanks"
    assert use(lambda client: client.login("ann", ["a", "b"])) == {"token": "t"}
    assert use(lambda client: client.photo("a/b c")) == b"\x89PNG"
    assert shop.asked[1]["form"] == [("file", ("file", b"\x00\r\n--")), ("note", "hi")]
    assert shop.asked[2]["form"] == [("user", "ann"), ("scope", "a"), ("scope", "b")]
    assert shop.asked[3]["path"] == "/v1/photos/a/b c"


def test_documented_errors_are_raised_by_their_status(use: Callable[[Use], Any], package: ModuleType) -> None:
    with pytest.raises(package.NotFound) as gone:
        use(lambda client: client.getPet(404))
    assert (gone.value.body.code, gone.value.body.error.status) == ("gone", 2)
    with pytest.raises(package.Conflict) as sold:
        use(lambda client: client.delete_pet(5))
    assert sold.value.body.owner == "ann"
    assert use(lambda client: client.delete_pet(6)) is None


def test_other_failures_are_problems(use: Callable[[Use], Any]) -> None:
    with pytest.raises(ProblemError, match="command 'getPet': 404"):
        use(lambda client: client.getPet(405))
    with pytest.raises(
        ProblemError, match="500 Internal Server Error: not an answer of the service but text"
    ):
        use(lambda client: client.getPet(500))


def test_an_answer_that_the_document_does_not_know_is_drift(use: Callable[[Use], Any]) -> None:
    with pytest.raises(ContractDrift, match="command 'login'"):
        use(lambda client: _answered_with(client, "login", b'{"token": 3}'))


async def _answered_with(client: Any, command: str, body: bytes) -> Any:
    declared = getattr(type(client), command)
    from client_kit.answers import result_of
    from client_kit.contracts.rest import RestCommand
    from client_kit.wire import Response

    return result_of(RestCommand(declared), Response(200, {"content-type": "application/json"}, body))


def test_what_cannot_be_a_command_is_left_out_and_named(package: ModuleType) -> None:
    notes = publish_document(read_document(str(YAML))).notes
    assert notes == (
        "GET /matrix/{where} is left out: parameter 'where' has the style 'matrix' in its path",
        "GET /feed is left out: its stream of events is of a kind that the client does not know",
    )
    assert not hasattr(package.PetShopApi, "matrix")


def test_a_path_that_leads_to_another_host_is_left_out() -> None:
    get = {"get": {"responses": {"200": {"description": "done"}}}}
    paths = {"@evil.test/steal": get, "/good": get, "x-generator": "none of the paths"}
    published = publish_document(Document({"openapi": "3.1.0", "info": {"title": "t"}, "paths": paths}))
    assert [method.name for method in published.service.methods] == ["get_good"]
    assert published.notes == ("GET @evil.test/steal is left out: its path does not begin with '/'",)


def test_names_are_kept_where_python_can_have_them(package: ModuleType) -> None:
    assert {"getPet", "delete_pet", "replacePet", "post_pets", "upload", "login", "photo"} <= set(
        vars(package.PetShopApi)
    )
    assert {"copy_", "favourite_food", "name"} <= set(package.Pet.model_fields)
    assert "error" in package.Error.model_fields
    assert [member.name for member in package.PetStatus] == ["FOR_SALE", "SOLD", "VALUE_2ND"]
    assert issubclass(package.Pet, package.Base)
    assert package.URL == "https://eu.shop.example.com/v1"


def test_properties_whose_names_python_cannot_tell_apart_keep_their_names_on_the_wire(tmp_path: Path) -> None:
    thing = {"type": "object", "properties": {"a-b": {"type": "string"}, "a_b": {"type": "string"}}}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "t", "description": 'a \x00 "quote"'},
        "paths": {"/": {"get": {"responses": {"200": {"content": {"application/json": {"schema": thing}}}}}}},
    }
    package = imported(publish_document(Document(document)), tmp_path)
    read = package.T.get.decode_result(b'{"a-b": "1", "a_b": "2"}')
    assert (read.a_b, read.a_b_) == ("1", "2")
    assert json.loads(read.model_dump_json(by_alias=True)) == {"a-b": "1", "a_b": "2"}


class Kind(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Thing(BaseModel):
    """A thing."""

    name: str = Field(min_length=2)
    kind: Kind = Kind.SMALL
    parts: list[Thing] = []
    note: str | None = None


def _things() -> FastAPI:
    app = FastAPI(title="Things", version="3")

    @app.post("/things/{folder}", operation_id="put_thing")
    async def put_thing(
        folder: str, thing: Thing, *, count: int = 1, x_tag: str | None = Header(None)
    ) -> list[Thing]:
        if folder == "teapot":
            raise HTTPException(418, "short and stout")
        return [thing.model_copy(update={"note": f"{folder} {x_tag}"})] * count

    return app


def test_a_service_of_another_framework_is_called_by_its_own_document(serve: Serve, tmp_path: Path) -> None:
    url = serve(_things())
    package = imported(publish_document(read_document(f"{url}/openapi.json")), tmp_path)
    assert url == package.URL

    async def use() -> None:
        async with connect(package.Things, package.URL) as things:
            given = package.Thing(name="box", parts=[package.Thing(name="lid", kind=package.Kind.LARGE)])
            made = await things.put_thing("a b", given, count=2, x_tag="new")
            assert [thing.note for thing in made] == ["a b new"] * 2
            assert made[0].parts[0].kind is package.Kind.LARGE
            with pytest.raises(ProblemError, match="418"):
                await things.put_thing("teapot", body=given)
            # The framework names a 422 as its Python does: 3.13 has the words of RFC 9110.
            new_name = getattr(package, "UnprocessableContent", None)
            with pytest.raises(new_name or package.UnprocessableEntity) as invalid:
                await things.put_thing("a", package.Thing.model_construct(name="x"))
            assert invalid.value.body.detail[0].loc == ["body", "name"]

    asyncio.run(use())


@pytest.mark.parametrize("version", ["3.1", "3.0"])
def test_our_own_documents_of_both_versions_give_the_same_signatures(version: str) -> None:
    document = build_specification(contract_of(zoo.Zoo), url=None)
    if version == "3.0":
        document = downgrade(document)
    service = text_of(publish_document(Document(document)), "service.py")
    assert "errors=[Closed, Broken]," in service
    assert 'pet: Annotated[Zoo_Cat | Dog, Field(discriminator="kind")],' in service
    assert "colors: builtins.list[Color] = [Color.RED, Color.GREEN]," in service
    assert "since: date = date(2020, 1, 2)," in service
    assert "pause: timedelta = timedelta(seconds=3)," in service
    assert "x_trace: Annotated[str | None, Header()] = None," in service
    assert ("-> AsyncIterator[Annotated[Zoo_Cat | Dog" in service) == (version == "3.1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"swagger": "2.0"}', "it is Swagger 2.0; convert it first"),
        ('{"openapi": "4.0.0"}', "its 'openapi' is '4.0.0'"),
        ("[1, 2]", "it is neither JSON nor YAML"),
        ("{a: [", "it is neither JSON nor YAML"),
        ('{"openapi": "3.1.0", "paths": {}}', "it has no operations that could be commands"),
        (
            '{"openapi": "3.0.0", "paths": {"/": {"get": {"parameters": [{"$ref": "other.yaml#/x"}]}}}}',
            "'other.yaml#/x' leads out of the document; bundle it",
        ),
        (
            '{"openapi": "3.0.0", "paths": {"/": {"get": {"parameters": [{"$ref": "#/components/x"}]}}}}',
            "'#/components/x' leads nowhere",
        ),
        ('{"openapi": "3.0.0", "paths": ["/"]}', "it is not a valid document"),
    ],
)
def test_a_document_that_cannot_be_read_says_why(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "openapi.json").write_text(text)
    with pytest.raises(Unreadable) as raised:
        publish_document(read_document(str(tmp_path / "openapi.json")))
    assert problem in str(raised.value)
