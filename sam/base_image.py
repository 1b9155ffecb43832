#!/usr/bin/env python3
"""Make the image that `sam local` runs Python functions in, on a Debian machine that can reach no registry of images.

    sudo python3 sam/base_image.py            # then: sam local start-api --skip-pull-image

It has what AWS's own has for a function: Debian 12's Python 3.11, the runtime interface client, boto3, and the program
that starts them. Where Docker can pull, AWS's image is the better one: this makes none.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGE = "public.ecr.aws/lambda/python:3.11-x86_64"
PYTHON = "3.11"
RUNTIME = ("awslambdaric", "boto3")
ENVIRONMENT = (
    "LANG=C.UTF-8",
    "TZ=:/etc/localtime",
    "PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
    "LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/task:/opt/lib",
    "LAMBDA_TASK_ROOT=/var/task",
    "LAMBDA_RUNTIME_DIR=/var/runtime",
)

BOOTSTRAP = """#!/bin/sh
export PYTHONPATH="/var/task:/opt/python:/var/runtime"
exec python3 -m awslambdaric "$_HANDLER"
"""


def main() -> int:
    """Make the image unless it is there, or can be pulled."""
    if _run("docker", "image", "inspect", IMAGE, quiet=True) == 0:
        print(f"{IMAGE} is here already")
        return 0
    if _run("docker", "pull", IMAGE, quiet=True) == 0:
        print(f"pulled {IMAGE}")
        return 0
    for program, package in (("debootstrap", "debootstrap"), ("docker", "docker.io")):
        if shutil.which(program) is None:
            print(f"base_image.py: {program} is missing; apt-get install {package}", file=sys.stderr)
            return 1
    with tempfile.TemporaryDirectory(prefix="base-image-") as folder:
        root = Path(folder, "root")
        return _bootstrap(root) or _install(root) or _import(root)


def _bootstrap(root: Path) -> int:
    packages = "--include=python3,ca-certificates"
    return _run("debootstrap", "--variant=minbase", packages, "bookworm", str(root))


def _install(root: Path) -> int:
    runtime = root / "var" / "runtime"
    runtime.mkdir(parents=True)
    (root / "var" / "task").mkdir()
    (runtime / "bootstrap").write_text(BOOTSTRAP)
    (runtime / "bootstrap").chmod(0o755)
    platform = ("--only-binary", ":all:", "--python-version", PYTHON, "--implementation", "cp")
    return _run(
        sys.executable, "-m", "pip", "install", "--quiet", "--target", str(runtime), *platform, *RUNTIME
    )


def _import(root: Path) -> int:
    changes = [word for setting in ENVIRONMENT for word in ("--change", f"ENV {setting}")]
    changes += ["--change", "WORKDIR /var/task", "--change", 'ENTRYPOINT ["/lambda-entrypoint.sh"]']
    (root / "lambda-entrypoint.sh").write_text(
        '#!/bin/sh\nexport _HANDLER="$1"\nexec /var/runtime/bootstrap\n'
    )
    (root / "lambda-entrypoint.sh").chmod(0o755)
    packed = subprocess.Popen(
        ["tar", "-C", str(root), "--exclude=./var/cache", "-c", "."], stdout=subprocess.PIPE
    )
    with packed:
        done = subprocess.run(["docker", "import", *changes, "-", IMAGE], stdin=packed.stdout, check=False)
    return done.returncode or packed.returncode


def _run(*command: str, quiet: bool = False) -> int:
    output = subprocess.DEVNULL if quiet else None
    try:
        return subprocess.run(command, stdout=output, stderr=output, check=False).returncode
    except FileNotFoundError:
        return 127


if __name__ == "__main__":
    sys.exit(main())
