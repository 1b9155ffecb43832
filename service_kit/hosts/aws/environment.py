"""The handler of a function that names its service in its environment."""

from __future__ import annotations

import gc
import os
from importlib import import_module

from service_kit.contract.service import Service
from service_kit.hosts.aws.entry import LambdaHandler, lambda_handler

VARIABLE = "SERVICE"


def handler_from_environment() -> LambdaHandler:
    """Return the handler of the service that `SERVICE=module:Service` names.

    Raises LookupError if the variable names nothing, TypeError if it names something else.
    """
    named = os.environ.get(VARIABLE, "")
    module, _, attribute = named.partition(":")
    if not module or not attribute:
        raise LookupError(
            f"the environment variable {VARIABLE} is '{named}'; set it to module:Service, such as orders:Orders"
        )
    collects = gc.isenabled()
    # Imports make next to no garbage, and a collector that looks for some takes 6 % of the time of a cold start.
    gc.disable()
    try:
        service = getattr(import_module(module), attribute, None)
        if not (isinstance(service, type) and issubclass(service, Service)):
            raise TypeError(f"{VARIABLE} is '{named}', and that is {service!r}; name a subclass of Service")
        handler = lambda_handler(service)
        gc.freeze()  # what is there now stays for good: collections between calls need not visit it
    finally:
        if collects:
            gc.enable()
    return handler
