"""Declared errors: fields, statuses, and how they travel."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from service_kit import DefinitionError, ServiceError


def mistake(declare: Callable[[], object]) -> str:
    with pytest.raises(DefinitionError) as caught:
        declare()
    return str(caught.value)


class Broken(ServiceError, status=418, title="I am a teapot"):
    """Short and stout."""

    spout: str
    handles: int = 1


def test_service_error_has_checked_fields_and_a_title() -> None:
    error = Broken(spout="left")
    assert (error.spout, error.handles, error.status) == ("left", 1, 418)
    assert str(error) == "I am a teapot (spout='left', handles=1)"
    with pytest.raises(ValidationError):
        Broken(spout=["left"])  # type: ignore[arg-type]  # the mistake is the test
    with pytest.raises(ValidationError):
        Broken(spout="left", lid=1)  # type: ignore[call-arg]  # the mistake is the test


def test_service_error_travels_as_members_of_a_problem() -> None:
    members = {**Broken(spout="left").encode_fields(), "type": "urn:x", "status": 418, "new": 1}
    decoded = Broken.decode_fields(members)
    assert isinstance(decoded, Broken)
    assert decoded.fields() == {"spout": "left", "handles": 1}
    with pytest.raises(ValidationError):
        Broken.decode_fields({"handles": 1})


def test_service_error_refuses_reserved_fields_and_statuses_that_are_no_errors() -> None:
    class Reserved(ServiceError):
        detail: str

    assert "field 'detail': every problem has a member of this name" in mistake(Reserved.fields_model)

    def declare() -> None:
        class Fine(ServiceError, status=200): ...

    assert "status 200 is not an HTTP error" in mistake(declare)
