"""Mutation testing of the engine: change its code in one place at a time, and see whether a test notices.

    python3 chores.py mutate                # a random sample of 300 changes, with its margin of error
    python3 chores.py mutate --sample 0     # all of them: hours

The changes are Cosmic Ray's, made in a copy of the work tree. It runs in an environment of its own, the tests in
that of the chores. Changes that no run can show are left out (see `shown`), and so is what is no Python any more.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from cosmic_ray.commands.init import init  # type: ignore[import-not-found, unused-ignore]  # of its own environment
from cosmic_ray.mutating import (  # type: ignore[import-not-found, unused-ignore]  # as above
    mutate_and_test,
    mutate_code,
)
from cosmic_ray.plugins import get_operator  # type: ignore[import-not-found, unused-ignore]  # as above
from cosmic_ray.work_db import WorkDB  # type: ignore[import-not-found, unused-ignore]  # as above

ROOT = Path(__file__).resolve().parents[2]
MUTATED = "service_kit/engine"
SAME = ("Is_Eq", "IsNot_NotEq")
"""What is compared by identity here is None, a class or a member of an enum: equal is identical."""
QUICK_FIRST = ("tests/engine", "--deselect", "tests/engine/test_histories.py", "--ignore-glob=*properties*")
SLOW = ("tests/engine/test_properties.py", "tests/engine/test_histories.py")
PATIENCE = 5.0
"""A mutant whose tests take so many times as long as those of the engine as it is does not end."""
WANTED = 85.0
MARGIN_Z = 1.96
"""95 % of all samples come as near to the truth as the margin says."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every survivor and the share of mutants that were killed; return 1 if it is too small."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", default=sys.executable, help="the interpreter that runs the tests")
    parser.add_argument("--sample", type=int, default=300, help="how many mutants; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    parser.add_argument("--part", default="0/1", help="of several processes that share a sample: 0/2 and 1/2")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder, "copy")
        _copy(copy)
        os.chdir(copy)
        mutants = _mutants(Path(folder, "session.sqlite"))
        random.Random(chosen.seed).shuffle(mutants)
        mutants = list(islice(filter(is_python, mutants), chosen.sample or None))
        part, _, parts = chosen.part.partition("/")
        return _judge(mutants[int(part) :: int(parts)], chosen.python)


def shown(line: str, operator: str) -> bool:
    """Return whether a change of this line can show.

    `|` stands in annotations, unions of classes and patterns, nearly always; `@dataclass(frozen=True, slots=True)`
    says what code must not do, not what it does.
    """
    declares = "BitOr" in operator or line.lstrip().startswith("@dataclass(")
    return not declares and not operator.endswith(SAME)


def is_python(mutant: Any) -> bool:
    """Return whether the change can be made, and compiled: any test would kill what cannot."""
    operator = get_operator(mutant.operator_name)(**mutant.operator_args)
    try:
        compile(mutate_code(mutant.module_path.read_text(), operator, mutant.occurrence), "mutant", "exec")
    except (SyntaxError, AttributeError):  # an AttributeError is Cosmic Ray's own, at `except a.B`
        return False
    return True


def interval(killed: int, count: int) -> tuple[float, float]:
    """Return between which percentages the share lies, probably (Wilson 1927)."""
    share, z = killed / count, MARGIN_Z
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    whole = 1 + z * z / count
    return 100 * (middle - spread) / whole, 100 * (middle + spread) / whole


def _copy(folder: Path) -> None:
    """Copy what git knows, and what it does not ignore, as it is in the work tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (source := ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)


def _mutants(session: Path) -> list[Any]:
    database = WorkDB(str(session), WorkDB.Mode.create)
    init(sorted(Path(MUTATED).rglob("*.py")), database, {})
    lines = {path: path.read_text().splitlines() for path in Path(MUTATED).rglob("*.py")}
    made = [item.mutations[0] for item in database.work_items]
    database.close()
    made.sort(key=lambda m: (str(m.module_path), m.start_pos, m.operator_name))
    return [m for m in made if shown(lines[m.module_path][m.start_pos[0] - 1], m.operator_name)]


def _judge(mutants: Sequence[Any], python: str) -> int:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # a quarter of a second for each mutant
    pytest = f"{python} -m pytest -x -p no:cacheprovider"
    tests = f"sh -c '{pytest} {' '.join(QUICK_FIRST)} && {pytest} {' '.join(SLOW)}'"
    for _ in range(2):  # the first run compiles
        begun_s = time.monotonic()
        if subprocess.run(["sh", "-c", tests[7:-1]], capture_output=True, check=False).returncode:
            sys.stdout.write("the tests fail although nothing was changed; mend them first\n")
            return 1
    timeout_s = PATIENCE * (time.monotonic() - begun_s)
    counts: Counter[str] = Counter()
    for number, mutant in enumerate(mutants, 1):
        result = mutate_and_test([mutant], tests, timeout_s)
        outcome = str(result.test_outcome.value)
        counts[outcome] += 1
        place = f"{mutant.module_path}:{mutant.start_pos[0]} {mutant.operator_name}"
        sys.stdout.write(f"{number}/{len(mutants)} {outcome} {place}\n")
        if outcome == "survived":
            sys.stdout.write(f"{result.diff}\n")
        sys.stdout.flush()
    killed = len(mutants) - counts["survived"]
    least, most = interval(killed, len(mutants))
    share = 100 * killed / len(mutants)
    sys.stdout.write(
        f"{killed} of {len(mutants)} mutants killed: {share:.1f} % (of all, 95 %: {least:.1f} to {most:.1f} %)\n"
    )
    return 0 if share >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
