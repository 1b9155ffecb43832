"""Documents are made once, whatever callers send, and are not sent twice to who has them."""

from __future__ import annotations

import pytest

from service_kit import Service, command
from service_kit.http import HttpOptions
from tests.http.conftest import Ask


@command(method="GET", path="/things/{name}")
async def find(name: str) -> list[str]:
    return [name]


class Things(Service):
    """Find things."""

    find = find


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of what was rendered since."""
    import service_kit.openapi

    render, seen = service_kit.openapi.render_json, list[str]()

    def counting(data: object, *media_type: str) -> object:
        seen.append("made")
        return render(data, *media_type)

    monkeypatch.setattr(service_kit.openapi, "render_json", counting)
    return seen


@pytest.mark.parametrize("path", ["/openapi.json", "/.well-known/ai-plugin.json"])
def test_a_tag_that_was_weakened_on_its_way_is_known(ask: Ask, path: str) -> None:
    application = Things.asgi()
    tag = ask(application, "GET", path).headers["etag"]
    for known in (f"W/{tag}", f'"x", W/{tag}', tag, "*"):
        assert ask(application, "GET", path, headers={"if-none-match": known}).status_code == 304
    lines = [("if-none-match", '"x"'), ("if-none-match", f"W/{tag}")]
    assert ask(application, "GET", path, headers=lines).status_code == 304
    assert ask(application, "GET", path, headers={"if-none-match": 'W/"x"'}).status_code == 200


def test_invented_hosts_make_no_document_anew(ask: Ask, counted: list[str]) -> None:
    application = Things.asgi()
    tags: set[str] = set()
    for number in range(30):
        response = ask(application, "GET", "/openapi.json", headers={"host": f"host{number}.test:80"})
        assert response.json()["servers"] == [{"url": f"http://host{number}.test:80"}]
        tags.add(response.headers["etag"])
    assert counted == ["made"]
    assert len(tags) == 30, "what differs has another tag"


def test_the_address_is_written_alike_in_every_form(ask: Ask) -> None:
    application = Things.asgi()
    for host in ("orders.test", "127.0.0.1:8000", "[::1]:8000", "orders"):
        page = ask(application, "GET", "/openapi.yaml", headers={"host": host}).text
        assert f"- url: http://{host}\n" in page


@pytest.mark.parametrize("host", ['a"b', "a b", "a/b", "user@host", "a\\b", "a,b"])
def test_a_host_that_is_none_is_refused(ask: Ask, host: str) -> None:
    assert ask(Things, "GET", "/openapi.json", headers={"host": host}).status_code == 400
    configured = ask(
        Things,
        "GET",
        "/openapi.json",
        headers={"host": host},
        options=HttpOptions(url="https://orders.example"),
    )
    assert configured.json()["servers"] == [{"url": "https://orders.example"}]
