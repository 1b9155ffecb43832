"""Failures of the command line: what is wrong, and what to do about it."""

from __future__ import annotations

SERVER_EXTRA = frozenset({"typer", "rich", "uvicorn", "watchfiles", "fastapi", "mcp", "yaml", "jwt"})
"""Modules that the extra `server` brings."""

EXTRA_CURE = "pip install 'service-kit[server]'"


class CliError(Exception):
    """Stop with a message for people; `details` are lines above it, such as a traceback."""

    exit_code = 1

    def __init__(self, problem: str, cure: str = "", details: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.cure = cure
        self.details = details

    def __str__(self) -> str:
        lines = [self.details.rstrip()] if self.details else []
        lines.append(f"error: {self.problem}")
        if self.cure:
            lines.append(f"  {self.cure}")
        return "\n".join(lines)


class Unusable(CliError):
    """The input cannot be used: the command did not begin."""

    exit_code = 2


def no_json(what: str, text: str, error: ValueError) -> Unusable:
    """Return the failure for a word that is to be JSON, with the word that is."""
    from json import dumps
    from shlex import quote

    return Unusable(
        f"the {what} is not JSON: {error}", f"quote text: {quote(dumps(text, ensure_ascii=False))}"
    )
