"""From differences to sentences about one thing: a command's input, its result, an event, ..."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from service_kit.diff.change import Change, Direction, Kind, Verdict
from service_kit.diff.difference import Difference
from service_kit.diff.rules import SCHEMA_RULES


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks of what travels in one direction of one thing."""

    kind: Kind
    name: str
    direction: Direction
    whole: str
    """What the schema as a whole is called: `its result`."""
    prefix: str = ""
    """What stands before places in it: `result`."""
    who: str = "callers"
    refused: str = "are refused"
    recorded: bool = False
    """Whether nobody writes it any more, and `who` holds what was written."""

    @property
    def subject(self) -> str:
        """How sentences name the thing."""
        return subject_of(self.kind, self.name)

    def changes(self, differences: Iterable[Difference]) -> Iterator[Change]:
        """Yield each difference as a change."""
        for d in differences:
            yield self.change(d)

    def change(self, d: Difference) -> Change:
        rule = SCHEMA_RULES[d.rule]
        asked = self.direction is Direction.REQUEST
        breaks = rule.narrows if asked else rule.widens
        place = self._place(d)
        template = rule.request if asked else rule.response
        if self.recorded:
            template = rule.response.partition(": {who}")[0] + (": {who} cannot be read" if breaks else "")
        sentence = template.format(
            s=self.subject,
            p=f"`{place}`" if d.place and place else self.whole,
            old=d.old,
            new=d.new,
            who=self.who,
            refused=self.refused,
        )
        return Change(_verdict(breaks), d.rule, self.kind, self.name, place, sentence)

    def _place(self, d: Difference) -> str:
        text = self.prefix
        for step in d.place:
            if step.startswith("["):
                text += step
            elif step:
                text += f".{step}" if text else step
        return text


def subject_of(kind: Kind, name: str) -> str:
    """Return how sentences name a thing: commands by their names alone."""
    return f"`{name}`" if kind == "command" else f"{kind} `{name}`"


def told(kind: Kind, name: str, rule: str, message: str, *, breaks: bool, place: str = "") -> Change:
    """Return a change of a thing; `{s}`, with which the message begins, is its name."""
    return Change(
        _verdict(breaks), rule, kind, name, place, message.replace("{s}", subject_of(kind, name), 1)
    )


def _verdict(breaks: bool) -> Verdict:
    return Verdict.BREAKING if breaks else Verdict.SAFE
