"""The HTTP face of a service whose workflows, events and tasks live in a table."""

from __future__ import annotations

import os

from service_kit.contract.gateway import set_gateway
from service_kit.contract.service import Service, contract_of
from service_kit.hosts.aws.entry import LambdaHandler
from service_kit.hosts.aws.gateway import gateway_of
from service_kit.hosts.aws.host import AwsHost, Settings
from service_kit.hosts.aws.management import AwsCompletion, management_of
from service_kit.http import Application, HttpOptions
from service_kit.http.management import set_management
from service_kit.http.management_routes import management_routes
from service_kit.stores.dynamodb.idempotency import DynamoIdempotencyStore


def durable_handler(
    service: type[Service], host: AwsHost | None = None, options: HttpOptions | None = None
) -> LambdaHandler:
    """Return the HTTP handler of a service: its commands may start workflows and publish events."""
    serving = host or AwsHost(service, Settings.of(os.environ))
    contract, chosen = contract_of(service), options or HttpOptions()
    kept = DynamoIdempotencyStore(lambda: serving.store, serving.clock.now_s)
    gateway = gateway_of(serving)
    management = management_of(serving, gateway)
    completion = AwsCompletion(serving)

    def enter() -> None:
        set_gateway(gateway)
        set_management(management, completion)

    routes = management_routes(contract, chosen, kept)
    return LambdaHandler(Application(contract, chosen, kept, enter, routes))
