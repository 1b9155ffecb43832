"""DynamoDB's expressions, as far as the store writes them: conditions, key conditions, updates.

The grammar and its meaning are the developer guide's ("Expressions.OperatorsAndFunctions",
"Expressions.UpdateExpressions"): `AND` binds closer than `OR`; a comparison with an attribute that is not there, or
of another type, does not hold; all operands of an update are read from the item as it was before. One grammar and
what it means, so one file, though long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import Any, TypeAlias, assert_never

from service_kit.testing.simulation.aws.errors import Unmodelled, check

Attributes: TypeAlias = Mapping[str, Mapping[str, Any]]
"""An item, or the values of a request: each attribute as DynamoDB writes it, `{"S": "text"}`."""

_TOKEN = re.compile(r"\s*(#\w+\.#\w+|[#:]\w+|[A-Za-z_]+|<=|>=|<>|[=<>(),+-])")
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass(frozen=True, slots=True)
class Exists:
    """`attribute_exists(#name)`, or its contrary."""

    name: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """`#name = :value`, or another comparison."""

    name: str
    sign: str
    value: str


@dataclass(frozen=True, slots=True)
class Between:
    """`#name BETWEEN :low AND :high`, both included."""

    name: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Both:
    """`left AND right`."""

    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Either:
    """`left OR right`."""

    left: Condition
    right: Condition


Condition: TypeAlias = Exists | Compare | Between | Both | Either


@dataclass(frozen=True, slots=True)
class Operand:
    """`:value`, `#name`, or `if_not_exists(#name, :value)`."""

    name: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Update:
    """What an update expression sets (to a sum of operands), adds to, and removes; `#map.#name` is in a map."""

    sets: tuple[tuple[str, tuple[Operand, ...]], ...]
    adds: tuple[tuple[str, str], ...]
    removes: tuple[str, ...]

    @property
    def paths(self) -> list[str]:
        return [*(name for name, _ in self.sets), *(name for name, _ in self.adds), *self.removes]


def number(value: Mapping[str, Any]) -> Decimal:
    return Decimal(value["N"])


def holds(condition: Condition, item: Attributes, names: Mapping[str, str], values: Attributes) -> bool:
    """Tell whether a condition holds for an item; an item that is not there has no attributes."""
    match condition:
        case Exists(name=name, wanted=wanted):
            return (names[name] in item) is wanted
        case Compare(name=name, sign=sign, value=value):
            return _compared(item.get(names[name]), sign, values[value])
        case Between(name=name, low=low, high=high):
            held = item.get(names[name])
            return _compared(held, ">=", values[low]) and _compared(held, "<=", values[high])
        case Both(left=left, right=right):
            return holds(left, item, names, values) and holds(right, item, names, values)
        case Either(left=left, right=right):
            return holds(left, item, names, values) or holds(right, item, names, values)
        case _:
            assert_never(condition)


def updated(
    update: Update, item: Attributes, names: Mapping[str, str], values: Attributes
) -> dict[str, Mapping[str, Any]]:
    """Return an item as it is after an update."""
    after = dict(item)
    for name, operands in update.sets:
        _place(after, name, names, _sum([_operand(each, item, names, values) for each in operands]))
    for name, value in update.adds:
        held = item.get(names[name], {"N": "0"})
        after[names[name]] = _sum([held, values[value]])
    for name in update.removes:
        _place(after, name, names, None)
    return after


def _place(
    item: dict[str, Mapping[str, Any]], path: str, names: Mapping[str, str], value: Mapping[str, Any] | None
) -> None:
    """Set an attribute, or one of a map; None takes it away."""
    first, _, second = path.partition(".")
    name, holder = names[first], item
    if second:
        check("M" in item.get(name, {}), "The document path provided in the update expression is invalid")
        holder = dict(item[name]["M"])
        item[name] = {"M": holder}
        name = names[second]
    if value is None:
        holder.pop(name, None)
    else:
        holder[name] = value


@lru_cache(1_000)
def parse_condition(text: str) -> Condition:
    """Read a condition; raise Unmodelled for what this grammar does not have."""
    reader = _Reader(text)
    condition = reader.either()
    reader.end()
    return condition


@lru_cache(1_000)
def parse_update(text: str) -> Update:
    """Read an update expression; raise Unmodelled for what this grammar does not have."""
    return _Reader(text).update()


def _compared(held: Mapping[str, Any] | None, sign: str, value: Mapping[str, Any]) -> bool:
    if held is None or held.keys() != value.keys():
        return False
    ((kind, left),), ((_, right),) = held.items(), value.items()
    if kind == "N":
        left, right = Decimal(left), Decimal(right)
    elif kind not in ("S", "B"):
        raise Unmodelled(f"a comparison of values of kind {kind}")
    return _COMPARISONS[sign](left, right)


def _operand(
    operand: Operand, item: Attributes, names: Mapping[str, str], values: Attributes
) -> Mapping[str, Any]:
    if operand.name is not None and names[operand.name] in item:
        return item[names[operand.name]]
    check(operand.value is not None, "The provided expression refers to an attribute that does not exist")
    return values[str(operand.value)]


def _sum(operands: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(operands) == 1:
        return operands[0]
    check(
        all("N" in each for each in operands),
        "An operand in the update expression has an incorrect data type",
    )
    total = sum((number(each) for each in operands), Decimal(0))
    return {"N": format(total.normalize(), "f")}


class _Reader:
    """Reads an expression by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise Unmodelled(f"the expression {text!r} from {text[at:]!r} on")
            self._tokens.append(found[1])
            at = found.end()
        self._at = 0

    def either(self) -> Condition:
        left = self._both()
        while self._took("OR"):
            left = Either(left, self._both())
        return left

    def end(self) -> None:
        if self._at < len(self._tokens):
            self._refuse()

    def update(self) -> Update:
        sets = list[tuple[str, tuple[Operand, ...]]]()
        adds, removes = list[tuple[str, str]](), list[str]()
        while self._at < len(self._tokens):
            clause = self._next()
            while True:
                name = self._starting("#")
                if clause == "SET":
                    self._want("=")
                    sets.append((name, self._operands()))
                elif clause == "ADD":
                    adds.append((name, self._value()))
                elif clause == "REMOVE":
                    removes.append(name)
                else:
                    self._refuse()
                if not self._took(","):
                    break
        return Update(tuple(sets), tuple(adds), tuple(removes))

    def _both(self) -> Condition:
        left = self._one()
        while self._took("AND"):
            left = Both(left, self._one())
        return left

    def _one(self) -> Condition:
        if self._took("("):
            inner = self.either()
            self._want(")")
            return inner
        if (function := self._peek()) in ("attribute_exists", "attribute_not_exists"):
            self._next()
            self._want("(")
            name = self._name()
            self._want(")")
            return Exists(name, function == "attribute_exists")
        name = self._name()
        if self._took("BETWEEN"):
            low = self._value()
            self._want("AND")
            return Between(name, low, self._value())
        sign = self._next()
        if sign not in _COMPARISONS:
            self._refuse()
        return Compare(name, sign, self._value())

    def _operands(self) -> tuple[Operand, ...]:
        operands = [self._operand()]
        while self._took("+"):
            operands.append(self._operand())
        return tuple(operands)

    def _operand(self) -> Operand:
        if self._took("if_not_exists"):
            self._want("(")
            name = self._name()
            self._want(",")
            value = self._value()
            self._want(")")
            return Operand(name, value)
        return Operand(None, self._value()) if self._peek()[:1] == ":" else Operand(self._name(), None)

    def _name(self) -> str:
        name = self._starting("#")
        if "." in name:
            self._refuse()
        return name

    def _value(self) -> str:
        return self._starting(":")

    def _starting(self, mark: str) -> str:
        token = self._next()
        if token[:1] != mark:
            self._refuse()
        return token

    def _want(self, token: str) -> None:
        if not self._took(token):
            self._refuse()

    def _took(self, token: str) -> bool:
        if self._peek() == token:
            self._at += 1
            return True
        return False

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _refuse(self) -> None:
        raise Unmodelled(f"the expression {self._text!r} at its word {self._at}")
