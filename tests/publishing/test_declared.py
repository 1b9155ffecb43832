"""What survives the publication of a service's class."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from dataclasses import is_dataclass
from datetime import date
from enum import IntEnum, StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints
from uuid import UUID

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypedDict, is_typeddict

from client_kit.contracts import Header, Query
from service_kit import DefinitionError, Service, command
from service_kit.publishing.declared import publish_service
from service_kit.publishing.definitions import Ledger
from service_kit.publishing.package import write_package
from service_kit.publishing.types import TypeReader
from tests.publishing import far, zoo
from tests.publishing.packages import imported, text_of


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return imported(publish_service(zoo.Zoo), tmp_path_factory.mktemp("zoo"))


def test_calls_are_encoded_as_at_home(published: ModuleType) -> None:
    theirs = published.Zoo.add_pet.encode_call(
        (7, published.ZooCat(lives=3)), {"trace": "t", "colors": [published.Color.RED]}
    )
    ours = zoo.Zoo.add_pet.encode_call((7, zoo.Cat(lives=3)), {"trace": "t", "colors": [zoo.Color.RED]})
    assert theirs == ours
    tree = published.Tree(value=1, children=[published.Tree(value=2)])
    assert published.Zoo.grow.encode_call((tree,), {}) == zoo.Zoo.grow.encode_call(
        (zoo.Tree(value=1, children=[zoo.Tree(value=2)]),), {}
    )


def test_answers_of_the_service_are_read_into_the_published_classes(published: ModuleType) -> None:
    page = zoo.Page[zoo.Pet](items=[zoo.Cat(), zoo.Dog()])
    read = published.Zoo.add_pet.decode_result(page.model_dump_json().encode())
    assert type(read.items[0]) is published.ZooCat
    assert type(read.items[1]) is published.Dog
    assert read.items[1].color is published.Color.RED
    camel = zoo.Camel(first_name="ann", date=date(2020, 1, 2))
    text = TypeAdapter(zoo.Camel).dump_json(camel, by_alias=True)
    read = TypeAdapter(published.Camel).validate_json(text)
    assert (read.first_name, read.last_name, read.full_name) == ("ann", "x", "ann x")
    assert json.loads(TypeAdapter(published.Camel).dump_json(read, by_alias=True)) == {
        "firstName": "ann", "lastName": "x", "date": "2020-01-02", "list": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["Dog", "Tree", "PetPage", "Names", "Point", "Box", "Movie", "Version", "Broken", "Happened"]
)
def test_models_have_the_same_schema(published: ModuleType, name: str) -> None:
    def schema(module: ModuleType) -> str:
        cls: Any = getattr(module, name)
        model = cls.fields_model() if hasattr(cls, "fields_model") else cls
        return json.dumps(TypeAdapter(model).json_schema(), sort_keys=True)

    assert sorted(schema(published).replace("ZooCat", "Cat")) == sorted(schema(zoo))


def test_classes_keep_their_kind(published: ModuleType) -> None:
    assert issubclass(published.Color, StrEnum)
    assert issubclass(published.Level, IntEnum)
    assert is_dataclass(published.Point)
    assert vars(published.Point)["__slots__"] == ("x", "y", "more")
    assert is_typeddict(published.Movie)
    assert published.Version(1) == (1, 0)
    assert issubclass(published.PetPage, published.Page)
    assert published.UserId.__supertype__ is int
    assert get_type_hints(published.Keyed[str, int])["by"] is not None
    with pytest.raises(ValidationError):
        published.Tree(value=1).value = 2  # frozen as at home


def test_variables_of_a_generic_model_reach_what_it_holds(published: ModuleType) -> None:
    models = text_of(publish_service(zoo.Zoo), "models.py")
    assert "    next: Chain[T] | None = None\n    page: Page[T] | None = None\n" in models
    assert "list[Page[Any]]\n" in models
    for wrong in ({"next": {"value": "x"}}, {"page": {"items": ["x"]}}):
        with pytest.raises(ValidationError):
            published.Chain[int].model_validate({"value": 1, **wrong})


def test_signatures_keep_names_defaults_and_what_is_given_by_keyword(published: ModuleType) -> None:
    shown = inspect.signature(published.Zoo.add_pet.function).parameters
    home = inspect.signature(zoo.add_pet.function).parameters
    assert list(shown) == ["self", *home]
    for name, parameter in home.items():
        assert shown[name].kind is parameter.kind
        assert str(shown[name].default) == str(parameter.default)
    hints = get_type_hints(published.Zoo.add_pet.function, include_extras=True)
    assert hints["trace"].__metadata__ == (Header("x-trace"),)
    assert hints["wait_s"].__metadata__ == (Query(),)


def test_options_and_docstrings_survive(published: ModuleType) -> None:
    add, show = published.Zoo.add_pet, published.Zoo.list
    assert (add.method, add.path, add.options["timeout_s"]) == ("POST", "/zoo/{zoo_id}/pets", 3.5)
    assert list(add.errors) == ["Broken", "Closed"]
    assert add.description == inspect.getdoc(zoo.add_pet.function)
    assert (show.summary, show.method, show.consequential) == ("Show some", "GET", True)
    assert published.Zoo.tail.streaming
    assert published.Zoo.live.options["timeout_s"] == 60
    assert inspect.getdoc(published.Zoo) == "A zoo of types."
    assert inspect.getdoc(published.Page) == "A page."


def test_errors_keep_status_title_and_fields(published: ModuleType) -> None:
    error = published.Broken.decode_fields(zoo.Broken(level=zoo.Level.HIGH).encode_fields())
    assert (error.status, error.title, error.level) == (418, "Quite broken", published.Level.HIGH)
    assert (error.why, error.pet) == ("no reason", None)
    assert published.Closed().until == date(2030, 1, 1)
    assert published.Closed.title == zoo.Closed.title == "Closed"


def test_signals_states_and_events_travel_as_at_home(published: ModuleType) -> None:
    assert published.Zoo.moved.encode(published.Dog(chip=UUID(int=1))) == zoo.moved.encode(
        zoo.Dog(chip=UUID(int=1))
    )
    assert published.Zoo.seen.decode('[{"x": 1}]') == [published.Point(x=1)]
    event = published.Happened(what=published.ZooCat())
    assert event.event_name == "zoo.happened"
    assert event.model_dump_json(by_alias=True) == zoo.Happened(what=zoo.Cat()).model_dump_json(by_alias=True)


def test_classes_of_one_name_are_told_apart_by_their_modules(published: ModuleType) -> None:
    assert set(published.ZooCat.model_fields) == set(zoo.Cat.model_fields)
    assert set(published.FarCat.model_fields) == set(far.Cat.model_fields)


def test_names_that_authors_gave_to_types_are_kept() -> None:
    models = text_of(publish_service(zoo.Zoo), "models.py")
    assert "Name: TypeAlias = Annotated[str, StringConstraints(" in models
    assert 'Pet: TypeAlias = Annotated[ZooCat | Dog, Field(discriminator="kind")]' in models
    service = text_of(publish_service(zoo.Zoo), "service.py")
    assert "g: PositiveInt," in service
    assert "k: Name," in service


def test_code_is_left_behind_and_said_to_be() -> None:
    notes = publish_service(zoo.Zoo).notes
    assert "Camel.last_name: AfterValidator is code, and stays at the service" in notes
    assert "Camel.full_name: it is computed at the service; here it may be None" in notes


def test_a_package_imports_nothing_of_the_service_or_the_framework() -> None:
    for text in write_package(publish_service(zoo.Zoo)).values():
        assert "service_kit" not in text
        assert "tests" not in text


def test_the_same_contract_is_written_the_same_in_every_process() -> None:
    program = (
        "from service_kit.publishing.declared import publish_service\n"
        "from service_kit.publishing.package import write_package\n"
        "from tests.publishing.zoo import Zoo\n"
        "print(write_package(publish_service(Zoo))['__init__.py'])"
    )
    root = str(Path(__file__).resolve().parents[2])
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": root, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert runs == {text_of(publish_service(zoo.Zoo), "__init__.py") + "\n"}


class Opaque:
    """A class that only its own code could make of JSON."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return handler(str)


@command
async def hide(what: Opaque) -> None: ...


class Hidden(Service):
    hide = hide


def test_a_type_whose_code_would_have_to_come_along_is_an_error_with_a_cure() -> None:
    with pytest.raises(DefinitionError, match=r"parameter 'what'.*Opaque cannot be published.*use a model"):
        publish_service(Hidden)


SENTINEL = object()


@command
async def ask(since: int = SENTINEL) -> None:  # type: ignore[assignment]  # as authors do
    ...


class Asking(Service):
    ask = ask


def test_a_default_that_no_source_can_spell_is_left_to_the_service(tmp_path: Path) -> None:
    published = publish_service(Asking)
    assert "its default, <object object" in published.notes[0]
    package = imported(published, tmp_path)
    assert package.Asking.ask.encode_call((), {}) == b"{}"
    assert package.Asking.ask.encode_call((3,), {}) == b'{"since":3}'


def test_a_model_that_is_local_to_a_function_is_an_error_with_a_cure() -> None:
    class Local(BaseModel):
        x: int

    async def take(local: Local) -> None: ...

    take.__annotations__["local"] = Local
    taking = command(take)

    class Taking(Service):
        take = taking

    with pytest.raises(DefinitionError, match="define it in a module"):
        publish_service(Taking)


Odd = IntEnum("Odd", {"red-1": 1})
Dashed = TypedDict("Dashed", {"in-stock": int})


@pytest.mark.parametrize("form", [Odd, Dashed])
def test_members_whose_names_python_cannot_write_cannot_be_published(form: object) -> None:
    with pytest.raises(DefinitionError, match="its name cannot stand in a class; use a name of Python"):
        TypeReader(Ledger()).read(form, __name__, "command 'do'")
