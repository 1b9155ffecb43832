"""What a template's properties are made of: JSON, and CloudFormation's intrinsic functions as types of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Ref:
    """`!Ref`: a parameter's value, or a resource's id."""

    name: str


@dataclass(frozen=True, slots=True)
class GetAtt:
    """`!GetAtt`: an attribute of a resource."""

    resource: str
    attribute: str = "Arn"


@dataclass(frozen=True, slots=True)
class Sub:
    """`!Sub`: a text with `${Name}` and `${Resource.Attribute}` in it."""

    text: str


@dataclass(frozen=True, slots=True)
class If:
    """`!If`: one of two values, by a condition of the template."""

    condition: str
    then: Value
    otherwise: Value


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """The condition that a parameter has a value."""

    parameter: str


Reference: TypeAlias = Ref | GetAtt | Sub
"""What stands for a resource, or for something of it."""
Intrinsic: TypeAlias = Reference | If | NotEmpty
Value: TypeAlias = "str | int | float | bool | Intrinsic | Sequence[Value] | Mapping[str, Value]"

NO_VALUE = Ref("AWS::NoValue")
"""Instead of a property's value: the property is left out."""


def plain(value: Value) -> Any:
    """Return the value as JSON, with the long forms of intrinsic functions."""
    match value:
        case Ref(name):
            return {"Ref": name}
        case GetAtt(resource, attribute):
            return {"Fn::GetAtt": [resource, attribute]}
        case Sub(text):
            return {"Fn::Sub": text}
        case If(condition, then, otherwise):
            return {"Fn::If": [condition, plain(then), plain(otherwise)]}
        case NotEmpty(parameter):
            return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}
        case str() | bool() | int() | float():
            return value
        case Mapping():
            return {name: plain(item) for name, item in value.items()}
        case _:
            return [plain(item) for item in value]
