"""The orders service on AWS: `service-kit deploy plugins.orders.on_aws:deployment --stack orders`.

Its shop is a table of its own, and each function may do with it what its code does.
"""

from __future__ import annotations

from plugins.orders import batches, choreography, orchestration, reminders
from plugins.orders.service import Orders
from service_kit.deploy import Allow, Deployment, DeploymentOptions, GetAtt, Ref, Resource

SHOP = Resource(
    "AWS::DynamoDB::Table",
    {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    },
    kept_when_replaced=True,
)


def on_shop(*actions: str) -> Allow:
    return Allow([f"dynamodb:{action}" for action in actions], [GetAtt("Shop")])


def on_aws(options: DeploymentOptions) -> Deployment:
    """Return the service with its table, and with what each piece of its code does with that."""
    return (
        Deployment(Orders, options)
        .add("Shop", SHOP)
        .environment(ORDERS_TABLE=Ref("Shop"))
        .allow(on_shop("Query"), Orders.list_articles)
        .allow(on_shop("Query", "PutItem", "UpdateItem"), Orders.place_order, Orders.place_orders)
        .allow(on_shop("GetItem"), Orders.get_order, Orders.approve_order, Orders.cancel_order)
        .allow(on_shop("GetItem"), orchestration.process_payment, choreography.process_order_payment)
        .allow(on_shop("UpdateItem"), orchestration.update_order_status, choreography.update_order_status)
        .allow(on_shop("GetItem", "UpdateItem"), orchestration.mark_cancelled)
        # The doubles of bank, carrier and mail keep notes there; real ones bring secrets instead.
        .allow(
            on_shop("GetItem", "Query", "PutItem", "DeleteItem"),
            orchestration.process_payment,
            orchestration.refund_payment,
            orchestration.ship_order,
            orchestration.recall_parcel,
            choreography.process_order_payment,
            choreography.ship_order_after_payment,
            batches.send_invoices,
            reminders.send_reminder,
        )
    )


deployment = on_aws(DeploymentOptions())
