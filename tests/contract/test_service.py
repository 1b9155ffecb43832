"""What a service is, and what a mistake in one says."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from service_kit import (
    ApiKey,
    Cors,
    DefinitionError,
    Jwt,
    Plugin,
    Service,
    ServiceError,
    command,
)
from service_kit.contract.service import contract_of


@command(method="GET", path="/things")
async def list_things() -> list[str]:
    return []


@command
async def add_thing(name: str) -> None: ...


async def accept(key: str) -> str | None:
    return key


def test_service_describes_itself() -> None:
    class ThingStore(Service, version="2.1"):
        """Keep things.

        For a while.
        """

        list = list_things
        add_thing = add_thing

    contract = contract_of(ThingStore)
    assert (contract.name, contract.title, contract.version) == ("thing-store", "ThingStore", "2.1")
    assert contract.description == "Keep things.\n\nFor a while."
    assert [*contract.commands] == ["list", "add_thing"]


def test_an_attribute_gives_its_command_a_public_name_without_changing_the_original() -> None:
    class Things(Service):
        list = list_things

    class Others(Service):
        every = list_things

    assert (Things.list.name, Others.every.name, list_things.name) == ("list", "every", "list_things")
    assert Things.list.route == list_things.route


def test_a_subclass_inherits_options_and_commands() -> None:
    key = ApiKey(accept)

    class Base(Service, security=[key], cors=Cors(["https://a.example"])):
        """Base."""

        list = list_things

    class Things(Base, version="3"):
        add_thing = add_thing

    contract = contract_of(Things)
    assert [*contract.commands] == ["list", "add_thing"]
    assert contract.security == (key,)
    assert contract.cors is not None
    assert (contract.name, contract.description) == ("things", "Base.")


def test_two_commands_on_one_route_are_named() -> None:
    @command(method="GET", path="/a/{x}")
    async def one(x: int) -> None: ...

    @command(method="GET", path="/a/{y}")
    async def two(y: int) -> None: ...

    with pytest.raises(DefinitionError, match="commands 'first' and 'second' are both GET"):

        class Clash(Service):
            first = one
            second = two


def test_one_error_name_for_two_errors_is_named() -> None:
    class Gone(ServiceError):
        pass

    gone = Gone

    class Gone(ServiceError):  # type: ignore[no-redef]  # the clash is the test
        pass

    @command(errors=[gone])
    async def one() -> None: ...

    @command(errors=[Gone])
    async def two() -> None: ...

    with pytest.raises(DefinitionError, match="two errors have the name 'Gone'"):

        class Clash(Service):
            one_ = one
            two_ = two


def test_names_of_the_class_itself_cannot_be_commands() -> None:
    with pytest.raises(DefinitionError, match="command 'asgi': the name is taken by the class itself"):

        class Things(Service):
            asgi = add_thing  # type: ignore[assignment]  # the mistake is the test


def test_a_command_may_be_called_as_an_option_is() -> None:
    class Things(Service, name="shop", version="1"):
        name = add_thing
        version = list_things
        security = add_thing

    assert [*contract_of(Things).commands] == ["name", "version", "security"]
    assert contract_of(Things).name == "shop"


def test_a_sync_verifier_is_refused_where_it_is_declared() -> None:
    with pytest.raises(
        DefinitionError, match="scheme 'apiKey': its verify is a sync function; write 'async def'"
    ):
        ApiKey(lambda key: key)  # type: ignore[arg-type,return-value]  # the mistake is the test


@pytest.mark.parametrize("name", ["Shop", "my shop", "9lives", "x" * 64])
def test_a_name_that_does_not_fit_into_urls_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError, match="does not fit into URLs"):

        class Things(Service, name=name):
            pass


def test_unknown_class_keyword_is_refused() -> None:
    options: Any = {"vresion": "1"}
    with pytest.raises(DefinitionError, match=r"unknown class keywords \['vresion'\]"):

        class Things(Service, **options):
            pass


def test_codecs_are_given_by_a_function_because_clients_have_no_keys() -> None:
    options: Any = {"codecs": []}
    with pytest.raises(DefinitionError, match="give a function that returns them"):

        class Things(Service, **options):
            pass


def test_two_schemes_of_one_name_are_named() -> None:
    first, second = ApiKey(accept), ApiKey(accept)

    @command(security=[second])
    async def guarded() -> None: ...

    with pytest.raises(DefinitionError, match="two security schemes have the name 'apiKey'"):

        class Things(Service, security=[first]):
            guarded_ = guarded


def test_two_schemes_of_one_name_on_one_service_are_named() -> None:
    with pytest.raises(DefinitionError, match="'Things': two security schemes have the name 'apiKey'"):

        class Things(Service, security=[ApiKey(accept), ApiKey(accept, parameter="X-Other")]):
            list_ = list_things


def test_an_option_that_should_be_a_list_is_named() -> None:
    with pytest.raises(DefinitionError, match=r"service 'Things': security is ApiKey.*; give a list"):

        class Things(Service, security=ApiKey(accept)):  # type: ignore[arg-type]  # the mistake is the test
            list_ = list_things


def test_a_field_of_an_error_that_cannot_travel_is_named() -> None:
    class NotAType:
        pass

    broken = type("Broken", (ServiceError,), {"__annotations__": {"thing": NotAType}})
    lost = type("Lost", (ServiceError,), {"__annotations__": {"thing": "Nowhere"}})
    for error, message in (
        (broken, "pydantic cannot handle"),
        (lost, "names 'Nowhere', which is not defined"),
    ):

        @command(errors=[error])
        async def one() -> None: ...

        with pytest.raises(DefinitionError, match=f"error '{error.__name__}'.*{message}"):
            type("Things", (Service,), {"one": one})


def test_a_service_of_two_services_offers_the_commands_of_both() -> None:
    class Lists(Service):
        items = list_things

    class Adds(Service):
        add = add_thing

    class Both(Lists, Adds):
        pass

    assert set(contract_of(Both).commands) == {"items", "add"}


class Claims(BaseModel):
    sub: str


@pytest.mark.parametrize(("options", "message"), [
    ({}, "it needs one source of keys"),
    ({"key": "k", "jwks_url": "https://x"}, "it needs one source of keys"),
    ({"key": "k", "algorithms": ["none"]}, "admits everybody"),
    ({"jwks_url": "https://x", "algorithms": ["HS256"]}, "cannot sign HS tokens"),
])  # fmt: skip
def test_a_jwt_scheme_that_would_be_unsafe_is_refused(options: Any, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        Jwt(Claims, issuer="i", audience="a", **options)


def test_cors_with_credentials_for_everybody_is_refused() -> None:
    with pytest.raises(DefinitionError, match="name the origins"):
        Cors(["*"], credentials=True)
    with pytest.raises(DefinitionError, match="is no origin"):
        Cors(["example.com"])


def test_plugin_data_beyond_the_manifests_limits_is_refused() -> None:
    with pytest.raises(ValidationError):
        Plugin(name_for_human="much too long for a human to read")
    with pytest.raises(ValidationError):
        Plugin(name_for_model="no spaces")


def test_a_callers_identity_has_the_schemes_type_and_is_known_only_after_admission() -> None:
    async def verify(text: str) -> int | None:
        return int(text)

    key = ApiKey(verify)
    with pytest.raises(LookupError, match="has not admitted"):
        key.caller()
    key.admit(7)
    assert key.caller() + 1 == 8
