"""Types that nobody thought of: documents stay valid, and real values fit the schemas that are shown."""

from __future__ import annotations

import datetime as dt
import enum
import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, OAS31Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from pydantic import TypeAdapter, create_model
from pydantic.dataclasses import dataclass as pydantic_dataclass

from service_kit import Service, command
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification, downgrade
from tests.openapi.test_document import operations


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Mixed(enum.Enum):
    ONE = 1
    WORD = "word"


@dataclass(frozen=True)
class Generated:
    """A type and the strategy of its values."""

    annotation: Any
    values: st.SearchStrategy[Any]


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=5)

SIMPLE = [
    Generated(int, st.integers(-(10**6), 10**6)),
    Generated(str, TEXT),
    Generated(bool, st.booleans()),
    Generated(float, st.floats(allow_nan=False, allow_infinity=False, width=32)),
    Generated(
        Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-999, max_value=999)
    ),
    Generated(dt.datetime, st.datetimes()),
    Generated(dt.date, st.dates()),
    Generated(dt.timedelta, st.timedeltas(dt.timedelta(0), dt.timedelta(days=9))),
    Generated(UUID, st.uuids()),
    Generated(Colour, st.sampled_from(Colour)),
    Generated(Mixed, st.sampled_from(Mixed)),
    Generated(Literal["a", 1, False], st.sampled_from(["a", 1, False])),
    Generated(bytes, st.binary(max_size=3).map(lambda b: b.hex().encode())),
]


def _container(inner: Generated) -> st.SearchStrategy[Generated]:
    values = inner.values
    choices = [
        Generated(list[inner.annotation], st.lists(values, max_size=2)),  # type: ignore[name-defined]  # a type made at run time
        Generated(dict[str, inner.annotation], st.dictionaries(TEXT, values, max_size=2)),  # type: ignore[name-defined]  # as above
        Generated(inner.annotation | None, st.none() | values),
        Generated(tuple[inner.annotation, int], st.tuples(values, st.integers(0, 9))),  # type: ignore[name-defined]  # as above
        Generated(tuple[inner.annotation, ...], st.lists(values, max_size=2).map(tuple)),  # type: ignore[name-defined]  # as above
    ]
    return st.sampled_from(choices)


def _model(name: str, fields: Mapping[str, Generated], optional: Container[str]) -> Any:
    definitions: dict[str, Any] = {
        key: (field.annotation | None, None) if key in optional else (field.annotation, ...)
        for key, field in fields.items()
    }
    return create_model(name, **definitions)


def _dataclass(name: str, fields: Mapping[str, Generated]) -> Any:
    annotations = {key: field.annotation for key, field in fields.items()}
    return pydantic_dataclass(type(name, (), {"__annotations__": annotations}))


@st.composite
def _record(draw: Callable[[Any], Any], inner: st.SearchStrategy[Generated]) -> Generated:
    """Generate a model or a dataclass, under one of few names, with fields of generated types."""
    fields: dict[str, Generated] = draw(
        st.dictionaries(st.sampled_from(["a", "b", "class_"]), inner, min_size=1)
    )
    name = draw(st.sampled_from(["Thing", "Other", "Problem"]))
    optional = draw(st.sets(st.sampled_from(sorted(fields))))
    build = _model(name, fields, optional) if draw(st.booleans()) else _dataclass(name, fields)
    strategies = {key: field.values for key, field in fields.items()}
    return Generated(build, st.fixed_dictionaries(strategies).map(lambda values: build(**values)))


TYPES = st.recursive(
    st.sampled_from(SIMPLE), lambda inner: inner.flatmap(_container) | _record(inner), max_leaves=4
)


def echo_service(*annotations: Any) -> type[Service]:
    """Return a service that takes and returns values of these types, as models or as parts of a body."""

    def make(annotation: Any, at: int) -> Any:
        async def echo(value: Any, *, again: Any = None) -> Any: ...

        echo.__name__ = f"echo_{at}"
        echo.__annotations__ = {"value": annotation, "again": annotation | None, "return": annotation}
        return command(echo)

    members = {f"echo_{at}": make(annotation, at) for at, annotation in enumerate(annotations)}
    return type("Echoes", (Service,), members)


@given(st.lists(TYPES, min_size=1, max_size=3))
def test_documents_of_any_types_are_valid_in_both_versions(types: list[Generated]) -> None:
    service = echo_service(*(t.annotation for t in types))
    document = build_specification(contract_of(service), url=None)
    json.dumps(document, allow_nan=False)
    OpenAPIV31SpecValidator(document).validate()
    OpenAPIV30SpecValidator(downgrade(document)).validate()


@given(TYPES.flatmap(lambda t: st.tuples(st.just(t.annotation), t.values)))
def test_what_a_command_returns_fits_its_schema_in_both_versions(pair: tuple[Any, Any]) -> None:
    annotation, value = pair
    document = build_specification(contract_of(echo_service(annotation)), url=None)
    sent = json.loads(TypeAdapter(annotation).dump_json(value, by_alias=True))
    for version, validator in ((document, OAS31Validator), (downgrade(document), OAS30Validator)):
        response = operations(version)["echo_0"]["responses"]["200"]
        schema = response["content"]["application/json"]["schema"]
        validator({**schema, "components": version["components"]}).validate(sent)


@given(TYPES.flatmap(lambda t: st.tuples(st.just(t.annotation), t.values)))
def test_what_a_client_sends_fits_the_body_s_schema_in_both_versions(pair: tuple[Any, Any]) -> None:
    annotation, value = pair
    service = echo_service(annotation)
    declared = contract_of(service).commands["echo_0"]
    document = build_specification(contract_of(service), url=None)
    sent = json.loads(declared.encode_call([value], {"again": None}))
    for version, validator in ((document, OAS31Validator), (downgrade(document), OAS30Validator)):
        schema = operations(version)["echo_0"]["requestBody"]["content"]["application/json"]["schema"]
        validator({**schema, "components": version["components"]}).validate(sent)
