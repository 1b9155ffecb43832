"""Names of resources: letters and digits, each once, the same in every run."""

from __future__ import annotations

import re


def camel(text: str) -> str:
    """Return `place_order` or `/.well-known/ai-plugin.json` as CloudFormation allows a name to be."""
    return "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", text)) or "Root"


class Names:
    """Names that were given, so that no two things get the same one."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, text: str, kind: str) -> str:
        """Return a name for something of a kind: `AddTodo` and `Function` make AddTodoFunction."""
        base, number = camel(text), 1
        name = f"{base}{kind}"
        while name in self._taken:
            number += 1
            name = f"{base}{number}{kind}"
        self._taken.add(name)
        return name
