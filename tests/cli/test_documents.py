"""`service-kit openapi` and `service-kit manifest`."""

from __future__ import annotations

import json

import yaml

from tests.cli.conftest import Workshop


def test_the_specification_is_written_as_json(workshop: Workshop) -> None:
    document = json.loads(workshop.run("openapi", "orders", "--url", "https://orders.example.com").stdout)
    assert document["openapi"] == "3.1.0"
    assert document["info"] == {"title": "Orders", "version": "1.2", "description": "Take orders."}
    assert document["servers"] == [{"url": "https://orders.example.com"}]
    assert document["paths"]["/orders"]["post"]["operationId"] == "place_order"
    assert "/rpc/place_order" not in document["paths"]


def test_rpc_routes_are_shown_on_request(workshop: Workshop) -> None:
    document = json.loads(workshop.run("openapi", "orders", "--include-rpc").stdout)
    assert "/rpc/place_order" in document["paths"]


def test_the_older_version_and_yaml_are_written_on_request(workshop: Workshop) -> None:
    document = yaml.safe_load(
        workshop.run("openapi", "orders", "--version", "3.0", "--format", "yaml").stdout
    )
    assert document["openapi"] == "3.0.3"


def test_a_file_named_yaml_is_yaml(workshop: Workshop) -> None:
    result = workshop.run("openapi", "orders", "-o", "api.yaml")
    assert result.stdout == ""
    assert "wrote api.yaml" in result.stderr
    text = (workshop.folder / "api.yaml").read_text()
    assert text.startswith("openapi: 3.1.0")


def test_a_file_that_cannot_be_written_is_told(workshop: Workshop) -> None:
    result = workshop.run("openapi", "orders", "-o", "no/such/folder.json")
    assert result.exit_code == 1
    assert "cannot write no/such/folder.json" in result.stderr


def test_raw_routes_are_in_the_specification(workshop: Workshop) -> None:
    workshop.write(
        "mixed.py",
        """
        from fastapi import APIRouter
        from service_kit import Service

        router = APIRouter()

        @router.get("/raw")
        def raw() -> str:
            return "raw"

        class Mixed(Service, routes=[router]): ...
        """,
    )
    document = json.loads(workshop.run("openapi", "mixed").stdout)
    assert list(document["paths"]) == ["/raw"]


def test_the_manifest_names_the_service_at_its_url(workshop: Workshop) -> None:
    document = json.loads(
        workshop.run("manifest", "orders", "--url", "https://orders.example.com/v1/").stdout
    )
    assert document["name_for_model"] == "orders"
    assert document["api"]["url"] == "https://orders.example.com/v1/openapi.json"
    assert document["logo_url"] == "https://orders.example.com/v1/logo.svg"


def test_the_manifest_without_a_url_is_that_of_the_development_server(workshop: Workshop) -> None:
    document = json.loads(workshop.run("manifest", "orders").stdout)
    assert document["api"]["url"] == "http://127.0.0.1:8000/openapi.json"


def test_a_url_without_a_scheme_is_refused(workshop: Workshop) -> None:
    for document in ("openapi", "manifest"):
        result = workshop.run(document, "orders", "--url", "orders.example.com")
        assert result.exit_code == 2
        assert "'orders.example.com' is no URL of a service" in result.stderr


def test_what_else_catalogues_read_is_written_on_request(workshop: Workshop) -> None:
    page = workshop.run("manifest", "orders", "--kind", "llms.txt", "--url", "https://x.example/").stdout
    assert page.startswith("# Orders\n\n> Take orders.\n")
    assert "(https://x.example/openapi.json)" in page
    catalog = json.loads(workshop.run("manifest", "orders", "--kind", "api-catalog").stdout)
    assert catalog["linkset"][1]["anchor"] == "http://127.0.0.1:8000"
    refused = workshop.run("manifest", "orders", "--kind", "agent-card")
    assert refused.exit_code == 1
    assert "asks for no agent card" in refused.stderr
