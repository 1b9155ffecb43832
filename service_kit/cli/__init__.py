"""The command line, `service-kit`: a client of the other rooms, and the outermost of them.

Importing this package imports nothing else, so that completion and `--help` are quick; each command imports what
it needs when it runs.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; its exit status is 1 for errors it found, 2 for input it cannot use."""
    from service_kit.cli.failures import EXTRA_CURE, SERVER_EXTRA

    try:
        from service_kit.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in SERVER_EXTRA:
            raise
        sys.stderr.write(
            f"error: the command line needs '{error.name}', which is not installed\n  {EXTRA_CURE}\n"
        )
        raise SystemExit(2) from None
    app(prog_name="service-kit")
