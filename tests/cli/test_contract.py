"""`service-kit contract`."""

from __future__ import annotations

import json

from tests.cli.conftest import Workshop


def test_a_service_is_published_as_a_package(workshop: Workshop) -> None:
    result = workshop.run("contract", "orders", "-o", "stubs/orders_contract")
    assert result.exit_code == 0
    assert "wrote stubs/orders_contract: Orders 1.2, 3 commands" in result.stderr
    folder = workshop.folder / "stubs/orders_contract"
    assert 'class Orders(Service, name="orders", version="1.2"):' in (folder / "service.py").read_text()
    assert "class OutOfStock(ServiceError, status=409):" in (folder / "errors.py").read_text()
    assert (folder / "py.typed").read_text() == ""
    assert "is up to date" in workshop.run("contract", "orders", "-o", "stubs/orders_contract").stderr


def test_check_writes_nothing_and_shows_what_would_change(workshop: Workshop) -> None:
    command = ("contract", "orders", "-o", "contract", "--check")
    missing = workshop.run(*command)
    assert missing.exit_code == 1
    assert "+++ contract/service.py" in missing.stdout
    assert not (workshop.folder / "contract").exists()
    workshop.run(*command[:-1])
    assert workshop.run(*command).exit_code == 0
    models = workshop.folder / "contract" / "models.py"
    models.write_text(models.read_text().replace("sku: str", "sku: int"))
    stale = workshop.run(*command)
    assert stale.exit_code == 1
    assert "-    sku: int\n+    sku: str\n" in stale.stdout
    assert "error: contract is not up to date\n  run the same command without --check" in stale.stderr


def test_a_document_alone_is_enough(workshop: Workshop) -> None:
    workshop.run("openapi", "orders", "-o", "orders.yaml")
    result = workshop.run("contract", "--openapi", "orders.yaml", "--name", "Buying", "-o", "buying")
    assert result.exit_code == 0
    assert "wrote buying: Buying 1.2, 3 commands" in result.stderr
    assert "class Buying(RestService" in (workshop.folder / "buying/service.py").read_text()


def test_what_cannot_be_carried_is_told(workshop: Workshop) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Feed", "version": "1"},
        "paths": {
            "/feed": {"get": {"responses": {"200": {"content": {"text/event-stream": {}}}}}},
            "/ping": {"get": {"responses": {"204": {}}}},
        },
    }
    (workshop.folder / "feed.json").write_text(json.dumps(document))
    result = workshop.run("contract", "--openapi", "feed.json", "-o", "feed")
    assert "note: GET /feed is left out: its stream of events is of a kind" in result.stderr
    assert result.exit_code == 0


def test_mistakes_on_the_command_line_are_explained(workshop: Workshop) -> None:
    neither = workshop.run("contract", "-o", "x")
    assert (neither.exit_code, "one of the two" in neither.stderr) == (2, True)
    both = workshop.run("contract", "orders", "--openapi", "x.json", "-o", "x")
    assert (both.exit_code, "one of the two" in both.stderr) == (2, True)
    named = workshop.run("contract", "orders", "--name", "Mine", "-o", "x")
    assert (named.exit_code, "--name is for documents" in named.stderr) == (2, True)
    for folder in ("my-orders", "class"):
        unnamed = workshop.run("contract", "orders", "-o", folder)
        assert (unnamed.exit_code, f"'{folder}' is no folder for a package" in unnamed.stderr) == (2, True)
    absent = workshop.run("contract", "--openapi", "nowhere.json", "-o", "x")
    assert (absent.exit_code, "nowhere.json: it cannot be read" in absent.stderr) == (2, True)


def test_a_folder_of_somebody_else_is_left_alone(workshop: Workshop) -> None:
    workshop.write("mine/program.py", "print('mine')")
    result = workshop.run("contract", "orders", "-o", "mine")
    assert result.exit_code == 1
    assert "nothing was written to mine: it holds other files" in result.stderr


def test_a_type_that_cannot_be_published_is_an_error_with_its_place(workshop: Workshop) -> None:
    workshop.write(
        "odd.py",
        """
        from service_kit import Service, command

        class Opaque:
            @classmethod
            def __get_pydantic_core_schema__(cls, source, handler):
                return handler(str)

        @command
        async def hide(what: Opaque) -> None: ...

        class Odd(Service):
            hide = hide
        """,
    )
    result = workshop.run("contract", "odd", "-o", "odd_contract")
    assert result.exit_code == 1
    assert "parameter 'what': odd.Opaque cannot be published" in result.stderr
    assert "use a model" in result.stderr
