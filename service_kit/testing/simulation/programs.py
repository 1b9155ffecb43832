"""Workflows made at random, as data, whose results do not depend on time: every race has a certain winner."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

LONG_S = 1_000_000.0
"""Longer than any simulation."""

Op: TypeAlias = Literal[
    "work", "inline", "hopeless", "refused", "sleep", "receive", "listen", "emit", "steps", "gather", "group",
    "in_time", "too_late", "race", "dropped", "child", "abandoned", "callback", "cancelled", "again", "label",
]  # fmt: skip

LEAVES: tuple[Op, ...] = (
    "work", "work", "inline", "hopeless", "refused", "sleep", "receive", "listen", "emit", "cancelled",
    "too_late", "dropped", "label",
)  # fmt: skip
BRANCHES: tuple[Op, ...] = (
    "steps", "gather", "gather", "group", "in_time", "race", "child", "callback", "abandoned",
)  # fmt: skip

WITH_CHILDREN: frozenset[Op] = frozenset(("child", "callback", "abandoned", "cancelled"))

End: TypeAlias = Literal["by itself", "cancel", "terminate"]
MOSTLY: tuple[End, ...] = ("by itself",) * 8
ENDS: tuple[End, ...] = (*MOSTLY, "cancel", "terminate")


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a program; `node` is its number, equal to no other's in the scenario."""

    op: Op
    node: int
    amount: float = 0.0
    """Seconds, or failures before success, or signals, as the operation has it."""
    seconds: float = 0.0
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Root:
    """An execution that the client starts."""

    id: str
    program: Step
    begin_s: float
    twice: bool
    """Whether two processes are asked to start it."""
    end: End
    pauses_s: float
    """For how long it is paused; 0: it is not."""
    forked: bool = False
    """Whether it is forked, from one turn or another."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What one simulation does."""

    processes: int
    roots: tuple[Root, ...]
    emits: int
    """Events that the client emits."""
    scheduled: bool = False
    """Whether the service has a schedule beside."""

    def without(self, nodes: frozenset[int]) -> Scenario:
        """Return the scenario without these nodes and what lies beneath them."""
        roots = [
            replace(root, program=pruned)
            for root in self.roots
            if (pruned := _pruned(root.program, nodes)) is not None
        ]
        return replace(self, roots=tuple(roots))

    def nodes(self) -> list[int]:
        """Return the numbers of all nodes, outer ones first."""
        return [step.node for root in self.roots for step in walk(root.program)]


def walk(step: Step) -> Iterator[Step]:
    """Yield a step and all beneath it."""
    yield step
    for inner in step.steps:
        yield from walk(inner)


def scenario(seed: int) -> Scenario:
    """Return the scenario of a seed."""
    maker = _Maker(random.Random(f"scenario {seed}"))  # noqa: S311 - reproducible, not secret
    chance = maker.chance
    roots = tuple(maker.root() for _ in range(chance.choice((1, 1, 2, 3))))
    return Scenario(
        chance.choice((1, 2, 2, 3)), roots, chance.choice((0, 1, 2)), scheduled=chance.random() < 0.1
    )


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._nodes = 0

    def root(self) -> Root:
        chance = self.chance
        end = chance.choice(ENDS)
        program = self._root_program() if end == "by itself" else self._step("cancelled", 0)
        return Root(
            id=f"x{program.node}",
            program=program,
            begin_s=chance.choice((0.0, 0.0, 1.0, 7.0)),
            twice=chance.random() < 0.2,
            end=end,
            pauses_s=chance.choice((0.0,) * 4 + (3.0,)),
            # A child has the id that its program gives it, so a fork could not begin it once more.
            forked=chance.random() < 0.3 and not any(step.op in WITH_CHILDREN for step in walk(program)),
        )

    def _root_program(self) -> Step:
        op: Op = "again" if self.chance.random() < 0.25 else "steps"
        node = self._next()
        return Step(op, node, steps=self._several(2, 1, 3))

    def _several(self, depth: int, least: int, most: int) -> tuple[Step, ...]:
        return tuple(self._any(depth) for _ in range(self.chance.randint(least, most)))

    def _any(self, depth: int) -> Step:
        if depth > 0 and self.chance.random() < 0.45:
            return self._step(self.chance.choice(BRANCHES), depth)
        return self._step(self.chance.choice(LEAVES), 0)

    def _step(self, op: Op, depth: int) -> Step:
        node, chance = self._next(), self.chance
        match op:
            case "work" | "inline":
                seconds = chance.choice((0.0, 0.0, 0.0, 0.5, 3.0, 25.0)) if op == "work" else 0.0
                return Step(op, node, chance.choice((0, 0, 0, 1, 2)), seconds)
            case "sleep" | "too_late" | "dropped":
                return Step(op, node, chance.choice((0.5, 2.0, 10.0)))
            case "listen":
                return Step(op, node, chance.choice((1, 2, 3)))
            case "steps" | "gather" | "group" | "race":
                return Step(op, node, steps=self._several(depth - 1, 1, 3))
            case "in_time" | "child" | "callback" | "abandoned":
                return Step(op, node, steps=self._several(depth - 1, 1, 2))
            case _:
                return Step(op, node)

    def _next(self) -> int:
        self._nodes += 1
        return self._nodes


def _pruned(step: Step, nodes: frozenset[int]) -> Step | None:
    if step.node in nodes:
        return None
    kept = (_pruned(inner, nodes) for inner in step.steps)
    return replace(step, steps=tuple(inner for inner in kept if inner is not None))


@dataclass(frozen=True, slots=True)
class Message:
    """A signal that a program waits for."""

    execution: str
    name: str
    payload: str
    fork: str = ""
    """The fork that it goes to; it has the same id there, so what the history has is not heard twice."""

    @property
    def id(self) -> str:
        return f"{self.execution}/{self.name}/{self.payload}"


def fork_id(id: str) -> str:
    """Return the id of the fork of a root."""
    return f"{id}f"


def forked_from(id: str) -> str | None:
    """Return the root that an execution is a fork of; None for what is no fork."""
    return id.removesuffix("f") if id.endswith("f") else None


def is_of_a_schedule(id: str) -> bool:
    """Tell whether an execution is a scheduler, or a run that one has started."""
    return "@" in id or id.startswith("schedule:")


def child_id(parent: str, step: Step) -> str:
    """Return the id of the child that a step starts."""
    return f"{parent}.{step.node}"


def messages(execution: str, step: Step) -> list[Message]:
    """Return the signals that a program and its children wait for from outside, in order for each name."""
    found: list[Message] = []
    if step.op in ("receive", "listen"):
        count = int(step.amount) or 1
        found += [Message(execution, f"s{step.node}", f"m{number}") for number in range(count)]
    inside = child_id(execution, step) if step.op in ("child", "callback", "abandoned") else execution
    for inner in step.steps:
        found += messages(inside, inner)
    return found
