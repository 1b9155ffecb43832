"""The handler of a function that names its service in its environment."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from service_kit.contract.service import Service

if TYPE_CHECKING:
    from service_kit.hosts.aws.entry import LambdaHandler

T = TypeVar("T")

VARIABLE = "SERVICE"
TABLE = "SERVICE_KIT_TABLE"


def handler_from_environment() -> LambdaHandler:
    """Return the HTTP handler of the service that the environment names, durable if there is a table."""
    return imported(_http_handler)


def service_from_environment() -> type[Service]:
    """Return the service that `SERVICE=module:Service` names.

    Raises LookupError if the variable names nothing, TypeError if it names something else.
    """
    named = os.environ.get(VARIABLE, "")
    module, _, attribute = named.partition(":")
    if not module or not attribute:
        raise LookupError(
            f"the environment variable {VARIABLE} is '{named}'; set it to module:Service, such as orders:Orders"
        )
    service = getattr(import_module(module), attribute, None)
    if not (isinstance(service, type) and issubclass(service, Service)):
        raise TypeError(f"{VARIABLE} is '{named}', and that is {service!r}; name a subclass of Service")
    return service


def imported(make: Callable[[], T]) -> T:
    """Return what `make` makes with its imports, without garbage collections in between."""
    collects = gc.isenabled()
    # Imports make next to no garbage, and a collector that looks for some takes 6 % of the time of a cold start.
    gc.disable()
    try:
        made = make()
        gc.freeze()  # what is there now stays for good: collections between calls need not visit it
    finally:
        if collects:
            gc.enable()
    return made


def _http_handler() -> LambdaHandler:
    service = service_from_environment()
    if not os.environ.get(TABLE):
        from service_kit.hosts.aws.entry import lambda_handler  # no other function answers HTTP

        return lambda_handler(service)
    from service_kit.hosts.aws.durable import durable_handler  # nothing of it where nothing is durable

    return durable_handler(service)
