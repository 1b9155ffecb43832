"""`service-kit check --gpt`: what GPT actions and the manifest refuse, for CI."""

from __future__ import annotations

import json

from tests.cli.conftest import Workshop
from tests.cli.test_check import CLEAN


def test_the_limits_of_gpt_actions_alone_are_errors_each_told_once(workshop: Workshop) -> None:
    workshop.write("clean.py", CLEAN)
    assert workshop.run("check", "clean", "--gpt").stdout == "clean: nothing to mend\n"
    workshop.write("wordy.py", CLEAN.replace("'''Get a thing.'''", f"'''Get {'a ' * 200}thing.'''"))
    result = workshop.run("check", "wordy", "--gpt", "--json")
    assert result.exit_code == 1
    told = [(f["severity"], f["code"], f["where"], f["cure"]) for f in json.loads(result.stdout)["findings"]]
    where, cure = (
        "command 'get_thing' (wordy:get_thing)",
        "shorten it, or give agents a summary=... of their own",
    )
    assert told == [("error", "agent-limit", where, cure)]
    assert workshop.run("check", "wordy").exit_code == 0
