"""`service-kit diff`: modules, documents, services and revisions, told to people and to programs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from service_kit.cli.sides import split_revision
from service_kit.cli.targets import load_service
from service_kit.hosts.local.host import LocalHost
from tests.cli.conftest import ORDERS, Serve, Workshop
from tests.cli.durable import SERVICE

BROKEN = ORDERS.replace("quantity: int = 1, gift", "quantity: int, gift")
SENTENCE = "`place_order` now requires `quantity`: callers that leave it out get 422"


def _git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def committed(workshop: Workshop) -> Workshop:
    """A repository whose only commit, on `main`, has the service as it was; since then it has changed."""
    _git(workshop.folder, "init", "-q", "-b", "main")
    workshop.write("openapi.json", workshop.run("openapi", "orders").stdout)
    _git(workshop.folder, "add", ".")
    _git(workshop.folder, "commit", "-q", "-m", "first")
    workshop.write("orders.py", BROKEN)
    return workshop


def test_nothing_has_changed_between_a_service_and_itself(workshop: Workshop) -> None:
    result = workshop.run("diff", "orders:Orders", "orders.py:Orders")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "nothing has changed\n", "")


def test_a_breaking_change_fails_and_is_told(workshop: Workshop) -> None:
    workshop.write("next/orders.py", BROKEN)
    result = workshop.run("diff", "orders.py", "next/orders.py")
    assert result.exit_code == 1
    assert result.stdout == f"breaking  {SENTENCE}\n1 breaking change\n"
    assert workshop.run("diff", "orders.py", "next/orders.py", "--fail-on", "none").exit_code == 0


def test_a_safe_change_passes_unless_any_fails(workshop: Workshop) -> None:
    result = workshop.run("diff", "orders.py", "orders.py", "--fail-on", "any")
    assert result.exit_code == 0
    workshop.write(
        "next/orders.py", ORDERS.replace("gift: bool = False", "gift: bool = False, note: str = ''")
    )
    result = workshop.run("diff", "orders.py", "next/orders.py")
    assert (result.exit_code, result.stdout) == (
        0,
        "safe      `place_order` takes `note`, if it is given\n1 safe change\n",
    )
    assert workshop.run("diff", "orders.py", "next/orders.py", "--fail-on", "any").exit_code == 1


def test_markdown_has_a_section_for_each_verdict(workshop: Workshop) -> None:
    workshop.write("next/orders.py", BROKEN)
    result = workshop.run("diff", "orders.py", "next/orders.py", "--format", "markdown")
    assert result.exit_code == 1
    assert result.stdout == (
        f"**1 breaking change** from `orders.py` to `next/orders.py`\n\n## Breaking changes\n\n* {SENTENCE}\n"
    )


def test_json_names_the_rule_the_command_and_the_place(workshop: Workshop) -> None:
    workshop.write("next/orders.py", BROKEN)
    result = workshop.run("diff", "orders.py", "next/orders.py", "--format", "json")
    assert json.loads(result.stdout) == {
        "old": "orders.py",
        "new": "next/orders.py",
        "breaking": 1,
        "safe": 0,
        "changes": [
            {
                "verdict": "breaking",
                "rule": "required-added",
                "kind": "command",
                "name": "place_order",
                "place": "quantity",
                "message": SENTENCE,
            }
        ],
        "notes": [],
    }


def test_a_module_is_compared_with_what_it_was_at_a_revision(committed: Workshop) -> None:
    for old in ("main:orders:Orders", "HEAD:orders.py", "main:openapi.json"):
        result = committed.run("diff", old, "orders:Orders")
        assert (result.exit_code, result.stdout) == (1, f"breaking  {SENTENCE}\n1 breaking change\n"), old
    worktrees = subprocess.run(
        ["git", "worktree", "list"], cwd=committed.folder, capture_output=True, check=True
    )
    assert worktrees.stdout.count(b"\n") == 1, "the tree of then is taken away"


def test_in_a_hook_the_index_of_the_commit_to_be_is_left_alone(
    committed: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _git(committed.folder, "add", "orders.py")
    index = committed.folder / ".git" / "index"
    before = index.read_bytes()
    monkeypatch.setenv("GIT_INDEX_FILE", str(index))
    monkeypatch.setenv("GIT_DIR", str(committed.folder / ".git"))
    assert committed.run("diff", "HEAD:orders", "orders").exit_code == 2, "HEAD may be a module"
    assert committed.run("diff", "HEAD:orders:Orders", "orders").exit_code == 1
    assert index.read_bytes() == before


def test_a_module_of_then_imports_its_neighbours_of_then(committed: Workshop) -> None:
    committed.write("src/shop/__init__.py", "")
    committed.write("src/shop/sizes.py", "Size = int")
    committed.write(
        "src/shop/service.py",
        "from shop.sizes import Size\n" + ORDERS.replace("quantity: int", "quantity: Size"),
    )
    _git(committed.folder, "add", ".")
    _git(committed.folder, "commit", "-q", "-m", "second")
    committed.write("src/shop/sizes.py", "Size = str")
    result = committed.run("diff", "HEAD:src/shop/service.py:Orders", "src/shop/service.py:Orders")
    assert "takes `quantity` as text, no longer as a whole number" in result.stdout


def test_a_running_service_is_compared_with_what_shall_replace_it(workshop: Workshop, serve: Serve) -> None:
    url = serve(load_service("orders").asgi())
    workshop.write("next/orders.py", BROKEN)
    for old in (url, f"{url}/openapi.json", f"{url}/openapi.yaml"):
        result = workshop.run("diff", old, "next/orders.py")
        assert (result.exit_code, result.stdout) == (1, f"breaking  {SENTENCE}\n1 breaking change\n")
        assert "events, signals, workflows and tasks were not compared" in result.stderr
        assert f"'{old}' is a document" in result.stderr


def test_documents_of_both_versions_and_spellings_are_the_same(workshop: Workshop) -> None:
    workshop.run("openapi", "orders", "-o", "new.json")
    workshop.run("openapi", "orders", "-o", "new.yaml")
    assert workshop.run("diff", "new.yaml", "new.json").stdout == "nothing has changed\n"


def test_a_change_that_breaks_recorded_executions_is_named(workshop: Workshop, serve: Serve) -> None:
    workshop.write("depot.py", SERVICE)
    workshop.write("next/depot.py", SERVICE.replace("box = await pack(order)", "box = await hold(order)"))
    url = serve(LocalHost(load_service("depot"), workshop.folder / "depot.db").asgi())
    words = ("--url", url)
    workshop.run("executions", "start", "ship", "order=o-1", "--id", "ship-1", *words)
    workshop.run("executions", "signal", "ship-1", "released", '"me"', *words)
    workshop.run("executions", "result", "ship-1", *words)
    recorded = workshop.run("executions", "history", "ship-1", "--json", *words).stdout
    file = workshop.write("histories/ship-1.json", recorded).relative_to(workshop.folder)

    assert workshop.run("diff", "depot.py", "depot.py", "--histories", "histories").exit_code == 0
    result = workshop.run("diff", "depot.py", "next/depot.py", "--histories", "histories")
    assert result.exit_code == 1
    told = f"breaking  workflow `ship` breaks the execution recorded in `{file}`: "
    assert result.stdout.startswith(told)
    assert "history: TaskScheduled #1 'pack'" in result.stdout
    assert "code: TaskScheduled #1 'hold'" in result.stdout

    again = workshop.run("diff", "next/depot.py", "next/depot.py", "--histories", "histories")
    assert again.exit_code == 0, "what did not replay before is no change"
    assert f"note: {file} did not replay before, either" in again.stderr


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ("nothing", "there is no module 'nothing'"),
        ("orders:Nothing", "module 'orders' has no 'Nothing'"),
        ("absent.json", "cannot read absent.json"),
        ("broken.yaml", "'broken.yaml' is no OpenAPI document"),
        ("swagger.json", "its version is '2.0'"),
        ("http://127.0.0.1:1", "cannot reach http://127.0.0.1:1"),
        ("gone~1:orders:Orders", "'gone~1' is no revision of this repository"),
        ("main:absent.json", "absent.json"),
        ("main:absent:Orders", "absent"),
        ("main:orders", "for a revision, name module and service: main:orders:Orders"),
        ("ends.py", "ends the program when it is imported"),
        ("dies.py", "its process ended with 3"),
    ],
)
def test_what_cannot_be_read_is_told_with_status_2(committed: Workshop, old: str, said: str) -> None:
    committed.write("broken.yaml", "- no")
    committed.write("swagger.json", '{"openapi": "2.0"}')
    committed.write("ends.py", "raise SystemExit(0)")
    committed.write("dies.py", "import os\nos._exit(3)")
    result = committed.run("diff", old, "orders:Orders")
    assert result.exit_code == 2, result.output
    assert said in result.stderr


def test_histories_need_a_module_to_replay_them(workshop: Workshop) -> None:
    workshop.run("openapi", "orders", "-o", "new.json")
    workshop.write("histories/a.json", "[]")
    result = workshop.run("diff", "new.json", "new.json", "--histories", "histories")
    assert result.exit_code == 2
    assert "histories cannot be replayed against 'new.json'" in result.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders:Orders", (None, "orders:Orders")),
        ("shop.orders", (None, "shop.orders")),
        ("src/orders.py:Orders", (None, "src/orders.py:Orders")),
        ("openapi.yaml", (None, "openapi.yaml")),
        ("main:orders:Orders", ("main", "orders:Orders")),
        ("main~3:orders", ("main~3", "orders")),
        ("v1.2:openapi.json", ("v1.2", "openapi.json")),
        ("origin/main:src/orders.py:Orders", ("origin/main", "src/orders.py:Orders")),
        ("C:\\shop\\orders.py:Orders", (None, "C:\\shop\\orders.py:Orders")),
        ("C:\\shop\\openapi.json", (None, "C:\\shop\\openapi.json")),
    ],
)
def test_a_revision_is_told_from_a_module(text: str, expected: tuple[str | None, str]) -> None:
    assert split_revision(text) == expected
