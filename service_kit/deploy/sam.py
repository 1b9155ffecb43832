"""AWS's command line `sam`, which builds and deploys: found, run, and understood when it fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

VARIABLE = "SERVICE_KIT_SAM"
"""Names the program where it is not on the path: it wants an environment of its own."""


class SamFailed(Exception):
    """`sam` ended with a failure, which it has told itself."""

    def __init__(self, arguments: Sequence[str], status: int) -> None:
        super().__init__(f"`sam {' '.join(arguments[:1])}` failed (exit status {status})")


class SamMissing(Exception):
    """There is no `sam` here."""


class Sam:
    """The program, and where it works."""

    def __init__(self, folder: Path, program: str | None = None) -> None:
        found = program or os.environ.get(VARIABLE) or shutil.which("sam")
        if not found or not shutil.which(found):
            raise SamMissing
        self._program = found
        self._folder = folder

    def build(self, *extra: str) -> None:
        """Build `template.yaml` of the folder; the requirements are installed for the functions' platform."""
        self._run("build", "--template-file", "template.yaml", *extra)

    def deploy(self, stack: str, *extra: str) -> None:
        """Deploy what was built, without questions; a stack that is as it should be stays so."""
        self._run(
            "deploy", "--stack-name", stack, "--capabilities", "CAPABILITY_IAM", "--resolve-s3",
            "--no-confirm-changeset", "--no-fail-on-empty-changeset", *extra,
        )  # fmt: skip

    def delete(self, stack: str, *extra: str) -> None:
        """Delete a stack and what was uploaded for it, without questions."""
        self._run("delete", "--stack-name", stack, "--no-prompts", *extra)

    def outputs(self, stack: str, *extra: str) -> dict[str, str]:
        """Return the outputs of a stack."""
        arguments = ("list", "stack-outputs", "--stack-name", stack, "--output", "json", *extra)
        ran = subprocess.run(  # noqa: S603 - no shell, and the arguments are ours
            [self._program, *arguments], cwd=self._folder, stdout=subprocess.PIPE, text=True, check=False
        )
        if ran.returncode:
            raise SamFailed(arguments, ran.returncode)
        return {output["OutputKey"]: output["OutputValue"] for output in json.loads(ran.stdout)}

    def _run(self, *arguments: str) -> None:
        # What it prints is progress, and goes where people look for that.
        ran = subprocess.run([self._program, *arguments], cwd=self._folder, stdout=2, check=False)  # noqa: S603 - as above
        if ran.returncode:
            raise SamFailed(arguments, ran.returncode)
