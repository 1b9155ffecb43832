"""Programs that cannot share an environment with this project: each gets one of its own, once.

AWS's `sam` and checkov pin versions of click and boto3 that are not those of constraints.txt.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path

SAM = "aws-sam-cli==1.170.0"
CHECKOV = "checkov==3.3.30"
MINISTACK = "ministack[full]==1.5.33"


HOME = Path(sys.prefix, "tools")
"""Where they are: inside of this interpreter's environment, and gone with it."""


def is_installed(requirement: str) -> bool:
    """Tell whether a program is there already."""
    return (_folder(requirement) / "ready").exists()


@cache
def program(name: str, requirement: str) -> Path:
    """Return an installed program; the first one who asks installs it, which takes a minute or two."""
    HOME.mkdir(exist_ok=True)
    folder, package = _folder(requirement), _package(requirement)
    ready = folder / "ready"
    with (HOME / f"{package}.lock").open("w") as lock:
        # Tests run in several processes.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            venv.create(folder, with_pip=True, clear=True)
            command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", requirement]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, f"{requirement} could not be installed:\n{ran.stdout}{ran.stderr}"
            ready.touch()
    return folder / "bin" / name


def _folder(requirement: str) -> Path:
    return HOME / f"{_package(requirement)}-{hashlib.sha256(requirement.encode()).hexdigest()[:12]}"


def _package(requirement: str) -> str:
    return re.split(r"[\[=]", requirement)[0]
