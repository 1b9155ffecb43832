"""Naming a service on the command line: what is found, and what is said when it is not."""

from __future__ import annotations

import pytest

from service_kit.cli.failures import Unusable
from service_kit.cli.targets import BrokenModule, load_service
from tests.cli.conftest import ORDERS, Workshop


@pytest.mark.parametrize(
    "target", ["orders:Orders", "orders", "orders.py:Orders", "./orders.py", "{folder}/orders.py:Orders"]
)
def test_a_service_is_found_by_module_and_by_file(workshop: Workshop, target: str) -> None:
    assert load_service(target.format(folder=workshop.folder)).__name__ == "Orders"


def test_a_file_imports_its_neighbours(workshop: Workshop) -> None:
    workshop.write("deep/down/neighbour.py", "NAME = 'from-the-neighbour'")
    workshop.write(
        "deep/down/shop.py",
        """
        from neighbour import NAME
        from service_kit import Service

        class Shop(Service, name=NAME): ...
        """,
    )
    assert load_service("deep/down/shop.py")._contract.name == "from-the-neighbour"


def test_a_file_in_a_package_is_imported_as_its_module(workshop: Workshop) -> None:
    workshop.write("company/__init__.py", "")
    workshop.write("company/sales/__init__.py", "")
    workshop.write("company/sales/names.py", "NAME = 'relative'")
    workshop.write(
        "company/sales/shop.py",
        """
        from service_kit import Service
        from .names import NAME

        class Shop(Service, name=NAME): ...
        """,
    )
    assert load_service("company/sales/shop.py").__module__ == "company.sales.shop"


def test_a_package_offers_the_service_that_it_imports(workshop: Workshop) -> None:
    workshop.write("bundle/__init__.py", "from orders import Orders")
    assert load_service("bundle").__name__ == "Orders"


def test_a_module_that_defines_one_service_and_imports_another_has_one(workshop: Workshop) -> None:
    workshop.write("more.py", "from orders import Orders\nclass MoreOrders(Orders): ...")
    assert load_service("more").__name__ == "MoreOrders"


def test_a_class_inside_a_class_is_reached(workshop: Workshop) -> None:
    workshop.write("inner.py", "import orders\nclass Outer:\n    Inner = orders.Orders")
    assert load_service("inner:Outer.Inner").__name__ == "Orders"


@pytest.mark.parametrize(
    ("target", "problem", "cure"),
    [
        ("ordrs:Orders", "there is no module 'ordrs'", "did you mean 'orders'?"),
        ("company.salse:Orders", "there is no module 'company.salse'", "did you mean 'company.sales'?"),
        ("orders.deep:Orders", "there is no module 'orders.deep'", "module:Service"),
        ("ordrs.py:Orders", "there is no file ordrs.py", "did you mean orders.py?"),
        ("orders:Order5", "module 'orders' has no 'Order5'", "did you mean 'Order"),
        ("orders:Nothing", "module 'orders' has no 'Nothing'", "choose orders:Orders"),
        ("orders:Order", "orders:Order is the class Order, not a service", "choose orders:Orders"),
        ("orders:place_order", "orders:place_order is of the type Command", "choose orders:Orders"),
        ("orders:Service", "orders:Service is the class Service, not a service", "choose orders:Orders"),
        ("two", "module 'two' has 2 services", "choose two:A or two:B"),
        ("none.py", "module 'none' has no service", "class Orders(Service)"),
        ("what is this", "'what is this' names no module", "module:Service"),
        ("json.py", "'json' is the name of another module", "give json.py another name"),
    ],
)
def test_what_cannot_be_found_is_told_with_a_cure(
    workshop: Workshop, target: str, problem: str, cure: str
) -> None:
    workshop.write("two.py", "from service_kit import Service\nclass A(Service): ...\nclass B(Service): ...")
    workshop.write("none.py", "")
    workshop.write("company/__init__.py", "")
    workshop.write("company/sales.py", "")
    workshop.write("json.py", ORDERS)
    with pytest.raises(Unusable) as caught:
        load_service(target)
    assert problem in caught.value.problem
    assert cure in caught.value.cure


def test_a_wrong_definition_is_told_with_its_line_and_without_a_traceback(workshop: Workshop) -> None:
    workshop.write(
        "wrong.py",
        """
        from service_kit import command

        @command
        def add(a, b: int) -> int:
            return a + b
        """,
    )
    with pytest.raises(BrokenModule) as caught:
        load_service("wrong")
    assert str(caught.value) == (
        "error: wrong.py:4: command 'add' (wrong:add), parameter 'a': it has no type annotation\n"
        "  write 'a: <type>'"
    )


def test_an_exception_at_import_shows_the_users_lines_alone(workshop: Workshop) -> None:
    workshop.write("below.py", "def fail() -> None:\n    raise ValueError('of mine')\n")
    workshop.write("wrong.py", "from below import fail\nfail()\n")
    with pytest.raises(BrokenModule) as caught:
        load_service("wrong")
    text = str(caught.value)
    assert 'wrong.py", line 2' in text
    assert 'below.py", line 2' in text
    assert "ValueError: of mine" in text
    assert "error: module 'wrong' cannot be imported" in text
    assert "importlib" not in text
    assert "targets.py" not in text


def test_a_syntax_error_is_shown_where_it_is(workshop: Workshop) -> None:
    workshop.write("wrong.py", "def f(:\n")
    with pytest.raises(BrokenModule) as caught:
        load_service("wrong")
    assert 'wrong.py", line 1' in str(caught.value)
    assert "SyntaxError" in str(caught.value)
    assert "importlib" not in str(caught.value)


def test_a_missing_dependency_is_told_from_a_missing_service(workshop: Workshop) -> None:
    workshop.write("wrong.py", "import a_library_that_is_not_there\n")
    with pytest.raises(BrokenModule) as caught:
        load_service("wrong")
    assert "module 'wrong' cannot be imported" in caught.value.problem
    assert "'a_library_that_is_not_there'" in caught.value.cure


def test_a_module_that_runs_a_program_at_import_is_told_to_guard_it(workshop: Workshop) -> None:
    workshop.write("wrong.py", "import sys\nsys.exit(0)\n")
    with pytest.raises(BrokenModule) as caught:
        load_service("wrong")
    assert "__name__ == '__main__'" in caught.value.cure


def test_the_folder_of_a_file_goes_before_the_current_one(workshop: Workshop) -> None:
    workshop.write("deep/orders.py", "from service_kit import Service\nclass Deep(Service): ...")
    assert load_service("deep/orders.py").__name__ == "Deep"


def test_middleware_that_cannot_be_made_is_told(workshop: Workshop) -> None:
    workshop.write(
        "wrong.py",
        """
        from service_kit import AsgiMiddleware, Service

        def make(application: object) -> object:
            raise ValueError("no such option")

        class Wrong(Service, use=[AsgiMiddleware(make)]): ...
        """,
    )
    result = workshop.run("routes", "wrong")
    assert result.exit_code == 2
    assert "ValueError: no such option" in result.stderr
    assert "error: service 'Wrong' cannot be put together" in result.stderr


def test_a_module_that_cannot_be_used_ends_the_command_with_status_2(workshop: Workshop) -> None:
    result = workshop.run("routes", "ordrs")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: there is no module 'ordrs'")
    assert result.stdout == ""
