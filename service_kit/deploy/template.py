"""A SAM template as data, before it is text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from service_kit.deploy.values import NotEmpty, Value


@dataclass(frozen=True, slots=True)
class Parameter:
    """What the deployer may choose."""

    type: str
    description: str
    default: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of CloudFormation or SAM."""

    type: str
    properties: Mapping[str, Value]
    depends_on: tuple[str, ...] = ()
    kept_when_replaced: bool = False
    """Whether what an update replaces stays where it is: it holds data."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a stack says of itself."""

    description: str
    value: Value


@dataclass(frozen=True, slots=True)
class Part:
    """Resources that belong together, and what they say of themselves."""

    resources: Mapping[str, Resource]
    outputs: Mapping[str, Output] = field(default_factory=dict[str, Output])


@dataclass(frozen=True, slots=True)
class Template:
    """The whole; equal deployments make equal templates."""

    description: str
    parameters: Mapping[str, Parameter]
    conditions: Mapping[str, NotEmpty]
    resources: Mapping[str, Resource]
    outputs: Mapping[str, Output]

    def document(self) -> dict[str, Value]:
        """Return the template's sections, in the order of CloudFormation's documentation."""
        sections: dict[str, Value] = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Transform": "AWS::Serverless-2016-10-31",
            "Description": self.description,
            "Parameters": {
                name: {"Type": p.type, "Description": p.description, "Default": p.default}
                for name, p in self.parameters.items()
            },
            "Conditions": dict(self.conditions),
            "Resources": {name: _resource(resource) for name, resource in self.resources.items()},
            "Outputs": {
                name: {"Description": o.description, "Value": o.value} for name, o in self.outputs.items()
            },
        }
        return {name: section for name, section in sections.items() if section}


def joined(parts: Iterator[Part]) -> Part:
    """Return the parts as one; two resources of one name are a bug."""
    resources: dict[str, Resource] = {}
    outputs: dict[str, Output] = {}
    for part in parts:
        assert not resources.keys() & part.resources.keys(), resources.keys() & part.resources.keys()
        resources |= part.resources
        outputs |= part.outputs
    return Part(resources, outputs)


def _resource(resource: Resource) -> dict[str, Value]:
    written: dict[str, Value] = {"Type": resource.type}
    if resource.depends_on:
        written["DependsOn"] = list(resource.depends_on)
    if resource.kept_when_replaced:
        written |= {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}
    return {**written, "Properties": resource.properties}
