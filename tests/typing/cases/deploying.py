"""Deployments: what is configured is a command of a service, and what it is given has the right names and types."""

# pyright: strict
from __future__ import annotations

from typing import reveal_type

from service_kit import Event, Service, command, subscription, task, workflow
from service_kit.deploy import Allow, Deployment, DeploymentOptions, Ref, Resource


@command
async def place_order(sku: str) -> str:
    return sku


class OrderPlaced(Event):
    sku: str


@task
async def charge(sku: str) -> None: ...


@workflow
async def process(sku: str) -> None:
    await charge(sku)


@subscription(OrderPlaced)
async def ship(event: OrderPlaced) -> None: ...


class Orders(Service):
    place_order = place_order
    process = process


deployment = Deployment(Orders, DeploymentOptions(functions="each")).configure(
    Orders.place_order, memory_mb=512, timeout_s=10, concurrency=2, environment={"SHOP": "a"}
)
reveal_type(deployment)  # reveal: Deployment
reveal_type(deployment.group("Placing", Orders.place_order))  # reveal: Deployment

shop = Resource("AWS::SNS::Topic", {"TopicName": Ref("AWS::StackName")})
reading = Allow(["sns:Publish"], [Ref("Shop")])
reveal_type(deployment.add("Shop", shop))  # reveal: Deployment
reveal_type(deployment.environment(SHOP=Ref("Shop"), LEVEL="1"))  # reveal: Deployment
reveal_type(deployment.allow(reading, Orders.place_order, charge, ship))  # reveal: Deployment

deployment.add("Shop", "AWS::SNS::Topic")  # error: wrong type: Resource
deployment.environment(SHOP=1)  # error: wrong type: str
deployment.allow("sns:Publish", charge)  # error: wrong type: Allow
deployment.allow(reading, Orders.process)  # error: wrong type: Task
deployment.allow(reading, "charge")  # error: wrong type: Task
Resource("AWS::SNS::Topic", "Shop")  # error: wrong type: Mapping
deployment.configure(Orders.place_order, memory=512)  # error: unknown keyword: memory
deployment.configure(Orders.place_order, memory_mb="512")  # error: wrong type: int
deployment.configure("place_order", memory_mb=512)  # error: wrong type: Command
DeploymentOptions(functions="some")  # error: wrong type: some
Deployment(place_order)  # error: wrong type: Service
