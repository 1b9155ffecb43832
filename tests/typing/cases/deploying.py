"""Deployments: what is configured is a command of a service, and what it is given has the right names and types."""

# pyright: strict
from __future__ import annotations

from typing import reveal_type

from service_kit import Service, command
from service_kit.deploy import Deployment, DeploymentOptions


@command
async def place_order(sku: str) -> str:
    return sku


class Orders(Service):
    place_order = place_order


deployment = Deployment(Orders, DeploymentOptions(functions="each")).configure(
    Orders.place_order, memory_mb=512, timeout_s=10, concurrency=2, environment={"SHOP": "a"}
)
reveal_type(deployment)  # reveal: Deployment
reveal_type(deployment.group("Placing", Orders.place_order))  # reveal: Deployment

deployment.configure(Orders.place_order, memory=512)  # error: unknown keyword: memory
deployment.configure(Orders.place_order, memory_mb="512")  # error: wrong type: int
deployment.configure("place_order", memory_mb=512)  # error: wrong type: Command
DeploymentOptions(functions="some")  # error: wrong type: some
Deployment(place_order)  # error: wrong type: Service
