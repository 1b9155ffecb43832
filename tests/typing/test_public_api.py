"""The public interface has a type for every name, in both packages: nothing is left for checkers to infer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.typing.checkers import ROOT, SCRIPTS


@pytest.mark.parametrize("package", ["service_kit", "client_kit"])
def test_every_public_name_has_a_type(package: str) -> None:
    # Without an installed package there is nothing to verify; the interpreter is the first one on PATH.
    environment = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    command = (sys.executable, "-m", "pyright", "--verifytypes", package, "--ignoreexternal", "--outputjson")
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    report: dict[str, Any] = json.loads(ran.stdout)["typeCompleteness"]
    assert report.get("pyTypedPath"), f"{package} is not installed: run `python3 chores.py typing`"
    incomplete = [
        f"{symbol['name']}: {diagnostic['message']}"
        for symbol in report["symbols"]
        if symbol["isExported"] and not symbol["isTypeKnown"]
        for diagnostic in symbol["diagnostics"]
        # Others are about docstrings, or echoes of another symbol of this list.
        if "missing type annotation" in diagnostic["message"] or "unknown for" in diagnostic["message"]
    ]
    assert not incomplete, "\n".join(incomplete)
    assert report["completenessScore"] == 1
