"""How definitions become files: names, order, places, lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from service_kit.publishing.definitions import Assignment, Class, Line, Method, Published, ServiceClass
from service_kit.publishing.expressions import (
    Display,
    Expression,
    Imported,
    Local,
    String,
    Subscript,
    Text,
    Union,
    builtin,
    call,
)
from service_kit.publishing.folder import NotOurs, differences, write_folder
from service_kit.publishing.layout import docstring, flat, laid_out, quote
from service_kit.publishing.package import write_package

MODEL = (Imported("pydantic", "BaseModel"),)
SERVICE = ServiceClass("Shop", Imported("client_kit.contracts", "Service"), (), "", ())


def _published(**definitions: Class | Assignment) -> Published:
    return Published(SERVICE, "1", dict(definitions))


def _model(name: str, *lines: Line, bases: tuple[Expression, ...] = MODEL, origin: str = "shop") -> Class:
    return Class(name, origin, "models", bases, lines=lines)


def test_what_is_needed_at_once_stands_first_even_in_a_circle() -> None:
    models = write_package(
        _published(
            tree=_model("Tree", Line("nodes", Local("nodes"))),
            nodes=Assignment(
                "Nodes", "shop", Imported("typing", "TypeAlias"), Subscript(builtin("list"), (Local("leaf"),))
            ),
            leaf=_model("Leaf", Line("up", Local("tree")), bases=(Local("base"),)),
            base=_model("Base"),
        )
    )["models.py"]
    order = [models.index(text) for text in ("class Base(", "class Leaf(", "Nodes: ", "class Tree(")]
    assert order == sorted(order)


def test_a_field_hides_no_type_that_its_class_needs() -> None:
    models = write_package(
        _published(
            day=_model(
                "Day",
                Line("date", Imported("datetime", "date"), Text("None")),
                Line("list", Subscript(builtin("list"), (builtin("int"),))),
            )
        )
    )["models.py"]
    assert "from datetime import date as date_\n" in models
    assert "    date: date_ = None\n    list: builtins.list[int]\n" in models
    assert "\nimport builtins\n" in models


def test_an_event_that_a_model_mentions_stands_beside_it() -> None:
    event = Class("Sold", "shop", "events", (Imported("client_kit.contracts", "Event"),))
    files = write_package(_published(sold=event, log=_model("Log", Line("last", Local("sold")))))
    assert "class Sold(Event):" in files["models.py"]
    assert "events.py" not in files


def test_equal_names_get_as_much_of_their_modules_as_it_takes() -> None:
    files = write_package(
        _published(
            a=_model("Order", origin="acme.shop.models"),
            b=_model("Order", origin="acme.stock.models"),
            c=_model("Shop", origin="acme.shop"),
        )
    )
    assert "class ShopModelsOrder(BaseModel):" in files["models.py"]
    assert "class StockModelsOrder(BaseModel):" in files["models.py"]
    assert "class Shop(BaseModel):" not in files["models.py"]  # the service has this name


def test_the_digest_changes_with_the_contract_alone() -> None:
    def digest(published: Published) -> str:
        face = write_package(published)["__init__.py"]
        return next(line for line in face.splitlines() if line.startswith("__digest__"))

    one = _published(a=_model("Order"))
    assert digest(one) == digest(_published(a=_model("Order")))
    assert digest(one) != digest(_published(a=_model("Order", Line("id", builtin("str")))))


def test_long_things_are_broken_as_formatters_do() -> None:
    field = call(Imported("pydantic", "Field"), description=String("a word " * 20), examples=Text("[1]"))
    shown = laid_out(_settled(field), 1, 4)
    assert shown.splitlines() == [
        "Field(",
        "        description=(",
        '            "a word a word a word a word a word a word a word a word a word a word "',
        '            "a word a word a word a word a word a word a word a word a word a word "',
        "        ),",
        "        examples=[1],",
        "    )",
    ]
    wide = Union(tuple(Text(f"{'T' * 30}{number}") for number in range(4)))
    assert laid_out(wide, 0, 0).startswith("(\n    TTT")
    one = Display("(", (Text("1"),), ")")
    assert flat(one) == "(1,)"


def _settled(expression: Expression) -> Expression:
    from service_kit.publishing.expressions import Call

    assert isinstance(expression, Call)
    return Call(Text("Field"), expression.arguments)


@pytest.mark.parametrize(
    ("value", "shown"), [("a", '"a"'), ('a "b"', "'a \"b\"'"), ("it's", '"it\'s"'), ("a\\b\n", '"a\\\\b\\n"')]
)
def test_strings_are_quoted_as_formatters_do(value: str, shown: str) -> None:
    assert quote(value) == shown
    assert eval(shown) == value


def test_a_docstring_may_hold_anything() -> None:
    text = 'It\'s a "test" of \\ and """ quotes, which ends with a "quote"'
    lines = docstring(text, 0)
    assert eval("\n".join(lines)).strip() == text


def test_nothing_is_written_over_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    files = write_package(_published())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "program.py").touch()
    with pytest.raises(NotOurs, match="other files"):
        write_folder(tmp_path / "mine", files)
    (tmp_path / "mine" / "__init__.py").touch()
    with pytest.raises(NotOurs, match="not written by this command"):
        write_folder(tmp_path / "mine", files)
    (tmp_path / "file").touch()
    with pytest.raises(NotOurs, match="it is a file"):
        write_folder(tmp_path / "file", files)


def test_files_that_a_contract_no_longer_has_are_removed_and_all_others_kept(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    write_folder(folder, write_package(_published(a=_model("Order"))))
    (folder / "notes.md").touch()
    empty = write_package(_published())
    assert any("models.py" in line for line in differences(folder, empty))
    assert sorted(write_folder(folder, empty)) == ["__init__.py", "models.py"]
    assert not list(differences(folder, empty))
    assert write_folder(folder, empty) == []
    assert sorted(path.name for path in folder.iterdir()) == [
        "__init__.py",
        "notes.md",
        "py.typed",
        "service.py",
    ]


def test_a_command_may_have_the_name_of_a_builtin() -> None:
    lists = Method(
        "list",
        call(Imported("client_kit.contracts", "command")),
        (),
        Subscript(builtin("list"), (builtin("int"),)),
    )
    service = ServiceClass("Shop", Imported("client_kit.contracts", "Service"), (), "", (lists,))
    text = write_package(Published(service, "1", {}))["service.py"]
    assert "    async def list(self) -> builtins.list[int]:\n" in text
