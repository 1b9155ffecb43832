"""The documentation is executed as it stands: every Python block of README.md and docs/, page by page.

Blocks of one page share their names, in order. A block that begins with a file's name (`# orders.py`) can be
imported by later ones. A block marked `python fragment` shows a part of something and is only compiled.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

import chores
from tests.tidy.sources import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").rglob("*.md")])
COMMANDS = ["python3 chores.py demo", "python3 chores.py test"]


@dataclass(frozen=True, slots=True)
class Block:
    """One Python block of a page."""

    line: int
    code: str
    fragment: bool

    @property
    def file(self) -> str | None:
        """The module that the block's first line says it is."""
        named = re.match(r"# (\w+)\.py\n", self.code)
        return named[1] if named else None


def blocks_of(text: str) -> Iterator[Block]:
    """Return the Python blocks of a page; raise ValueError for one that could not be read."""
    for match in re.finditer(
        r"^```python(?P<info>[^\n]*)\n(?P<code>.*?)^```$", text, re.MULTILINE | re.DOTALL
    ):
        info = match["info"].strip()
        if info not in ("", "fragment"):
            raise ValueError(f"a Python block is marked '{info}'; only 'fragment' is known")
        yield Block(text.count("\n", 0, match.start("code")) + 1, match["code"], info == "fragment")


def execute(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a page's blocks in order, with line numbers of the page in tracebacks."""
    module = ModuleType(f"page_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in blocks_of(page.read_text()):
        program = compile("\n" * (block.line - 1) + block.code, str(page), "exec", dont_inherit=True)
        if block.fragment:
            continue
        if block.file:
            monkeypatch.setitem(sys.modules, block.file, module)
        exec(program, module.__dict__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_python_of_the_page_runs_as_it_stands(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page.read_text()
    assert text.count("```python") == len(list(blocks_of(text))), "a Python block is indented or never closed"
    execute(page, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_links_of_the_page_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|mailto:|#)([^)#\s]+)", page.read_text())
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_the_readme_begins_with_its_two_commands() -> None:
    console = re.findall(r"python3 chores\.py \w+", (ROOT / "README.md").read_text())
    assert console[:2] == COMMANDS


@pytest.mark.parametrize("chore", chores.CHORES)
def test_every_chore_has_its_command_in_contributing(chore: str) -> None:
    assert f"python3 chores.py {chore}" in (ROOT / "CONTRIBUTING.md").read_text()


BLOCKS = """Text.

```python
# shop.py
from __future__ import annotations
price = 3
```

```python
import shop
double = shop.price * 2
assert double == EXPECTED
```

```python fragment
with connect(...) as client: ...
```
"""


@pytest.mark.parametrize(("expected", "error"), [("6", None), ("7", AssertionError)])
def test_blocks_build_on_each_other_and_failures_show(
    expected: str, error: type[Exception] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(BLOCKS.replace("EXPECTED", expected))
    if error is None:
        execute(page, monkeypatch)
        return
    with pytest.raises(error) as caught:
        execute(page, monkeypatch)
    assert caught.traceback[-1].lineno + 1 == 12


def test_an_unknown_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="'no-run'"):
        list(blocks_of("```python no-run\n1\n```\n"))
