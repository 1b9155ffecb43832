"""Secrets in requests: the typed client sends what pydantic would hide, at home and from a published contract."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, Secret, SecretBytes, SecretStr, TypeAdapter, create_model, field_serializer
from pydantic_core import PydanticSerializationError

from client_kit import InProcessTransport, connect
from client_kit.contracts.request_writer import RequestWriter as PublishedWriter
from service_kit import Event, Service, Signal, command, task
from service_kit.contract.request_writer import RequestWriter


class Login(BaseModel):
    user: str
    password: SecretStr
    pin: SecretBytes | None = None
    born: Secret[date] | None = None
    earlier: list[Login] = []


class Masked(BaseModel):
    password: SecretStr

    @field_serializer("password", when_used="json")
    def mask(self, password: SecretStr) -> str:
        return "sent elsewhere"


@dataclass
class Signed:
    login: Login
    key: SecretStr


@command
async def log_in(login: Login) -> str:
    return login.password.get_secret_value()


@command
async def check(password: SecretStr, *, also: list[Login] | None = None) -> str:
    return "/".join([password.get_secret_value(), *(one.password.get_secret_value() for one in also or [])])


@command
async def show() -> Login:
    return Login(user="ann", password=SecretStr("sesame"))


class Gate(Service):
    log_in = log_in
    check = check
    show = show


def test_a_client_sends_secrets_and_the_service_keeps_its_own() -> None:
    login = Login(user="ann", password=SecretStr("sesame"))
    with connect(Gate, "http://test", transport=InProcessTransport(Gate.asgi())) as gate:
        assert gate.log_in.sync(login) == "sesame"
        assert gate.check.sync(SecretStr("open"), also=[login]) == "open/sesame"
        assert gate.show.sync().password.get_secret_value() == "**********"


@pytest.mark.parametrize("writer", [RequestWriter, PublishedWriter])
def test_secrets_are_written_wherever_they_are(writer: Callable[[TypeAdapter[Any]], RequestWriter]) -> None:
    login = Login(
        user="ann",
        password=SecretStr("a"),
        pin=SecretBytes(b"1"),
        born=Secret[date](date(2020, 1, 2)),
        earlier=[Login(user="bob", password=SecretStr("b"))],
    )
    written = json.loads(writer(TypeAdapter(Signed)).write(Signed(login, SecretStr("k"))))
    assert (written["key"], written["login"]["password"], written["login"]["pin"]) == ("k", "a", "1")
    assert (written["login"]["born"], written["login"]["earlier"][0]["password"]) == ("2020-01-02", "b")


@pytest.mark.parametrize("writer", [RequestWriter, PublishedWriter])
def test_a_serializer_of_the_users_own_is_left_alone(
    writer: Callable[[TypeAdapter[Any]], RequestWriter],
) -> None:
    masked = Masked(password=SecretStr("a"))
    assert writer(TypeAdapter(Masked)).write(masked) == b'{"password":"sent elsewhere"}'


@pytest.mark.parametrize("writer", [RequestWriter, PublishedWriter])
@pytest.mark.parametrize("name", ["default", "config", "metadata", "members", "serialization", "type"])
def test_a_field_may_have_a_name_that_pydantics_schemas_have(
    name: str, writer: Callable[[TypeAdapter[Any]], RequestWriter]
) -> None:
    fields: dict[str, Any] = {name: (SecretStr, ...), "rate": (float | None, None)}
    named = create_model("Named", **fields)
    value = named.model_validate({name: "sesame"})
    assert json.loads(writer(TypeAdapter(named)).write(value)) == {name: "sesame", "rate": None}


@pytest.mark.parametrize("writer", [RequestWriter, PublishedWriter])
def test_a_value_of_another_type_is_refused(writer: Callable[[TypeAdapter[Any]], RequestWriter]) -> None:
    with pytest.raises(PydanticSerializationError):
        writer(TypeAdapter(Login)).write(3)
    with pytest.raises(PydanticSerializationError):
        writer(TypeAdapter(SecretStr)).write("plain")


@task
async def keep(login: Login) -> None: ...


@task
async def fetch() -> list[SecretStr]:
    return []


unlocked = Signal("unlocked", dict[str, Login])


class LoggedIn(Event):
    login: Login


@pytest.mark.parametrize(
    ("write", "whose"),
    [
        (lambda login: keep.calls.encode_arguments({"login": login}), "what task 'keep' is given"),
        (lambda login: fetch.calls.result.encode([login.password]), "what task 'fetch' returns"),
        (lambda login: unlocked.encode({"ann": login}), "what signal 'unlocked' is given"),
        (lambda login: asyncio.run(LoggedIn(login=login).emit()), "event 'LoggedIn'"),
    ],
)
def test_nothing_that_is_kept_may_be_a_secret_of_which_stars_would_be_left(
    write: Callable[[Login], object], whose: str
) -> None:
    with pytest.raises(TypeError, match=rf"{whose} holds a SecretStr.*kept as '\*+'; give the name under"):
        write(Login(user="ann", password=SecretStr("sesame")))


def test_a_form_has_the_secrets_that_are_given_too() -> None:
    written = PublishedWriter(TypeAdapter(Login)).write_members(
        Login(user="ann", password=SecretStr("sesame"))
    )
    assert written == {"user": "ann", "password": "sesame", "pin": None, "born": None, "earlier": []}
