"""Numbers that JSON has not: the typed client refuses them, at home and with a published contract."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic_core import PydanticSerializationError

from client_kit import InProcessTransport, connect
from client_kit.contracts.request_writer import RequestWriter as PublishedWriter
from service_kit import Service, command
from service_kit.contract.request_writer import RequestWriter


class Measured(BaseModel):
    values: list[float | None] = []
    note: str | None = None


class Boundless(BaseModel):
    model_config = ConfigDict(ser_json_inf_nan="strings")

    most: float = math.inf
    note: str | None = None


@command
async def measure(value: float | None) -> str:
    return repr(value)


class Scale(Service):
    measure = measure


def test_a_service_does_not_take_infinity_for_none() -> None:
    with connect(Scale, "http://test", transport=InProcessTransport(Scale.asgi())) as scale:
        assert scale.measure.sync(None) == "None"
        with pytest.raises(PydanticSerializationError, match=r"command 'measure'.*JSON has no number inf"):
            scale.measure.sync(math.inf)


@pytest.mark.parametrize("writer", [RequestWriter, PublishedWriter])
@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_number_that_json_has_not_is_no_null(
    number: float, writer: Callable[[TypeAdapter[Any]], RequestWriter]
) -> None:
    with pytest.raises(PydanticSerializationError, match=f"JSON has no number {number!r}, and null is"):
        writer(TypeAdapter(dict[str, Measured])).write({"a": Measured(values=[1.0, None, number])})
    assert writer(TypeAdapter(Measured)).write(Measured(values=[None])) == b'{"values":[null],"note":null}'
    # Whoever has chosen how they travel has them back.
    assert writer(TypeAdapter(Boundless)).write(Boundless()) == b'{"most":"Infinity","note":null}'
