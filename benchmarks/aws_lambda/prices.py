"""Prices of AWS in us-east-1, in dollars, without free tiers and discounts for volume; each with where it was found.

AWS's own pages fill most numbers in by a program, so that what is kept of them often lacks them: such a price is from
somebody who quotes it, with the date of his text. Before you decide by them, look at AWS's pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Item = Literal[
    "write unit",
    "read unit",
    "invocation",
    "GB-second",
    "queue request",
    "event",
    "schedule",
    "object written",
    "object read",
    "transition",
    "express request",
    "express GB-hour",
    "durable operation",
]


@dataclass(frozen=True, slots=True)
class Price:
    """So many dollars for one, or for `per` of them."""

    service: str
    usd: float
    per: int
    source: str
    """Where the number stands."""
    dated: str
    """When it was written there."""

    @property
    def each_usd(self) -> float:
        return self.usd / self.per


MILLION = 1_000_000
_LAMBDA = "https://raw.githubusercontent.com/api-evangelist/aws-lambda"
PRICES: dict[Item, Price] = {
    "write unit": Price(
        "DynamoDB on demand",
        0.625,
        MILLION,
        "https://airbyte.com/data-engineering-resources/dynamodb-pricing",
        "2025-07-21",
    ),
    "read unit": Price(
        "DynamoDB on demand",
        0.125,
        MILLION,
        "https://airbyte.com/data-engineering-resources/dynamodb-pricing",
        "2025-07-21",
    ),
    "invocation": Price(
        "Lambda",
        0.20,
        MILLION,
        f"{_LAMBDA}/2540b080595eb6a0b672c67986e91a31b5e48cea/plans/aws-lambda-plans-pricing.yml",
        "2026-05-05",
    ),
    "GB-second": Price(
        "Lambda, x86",
        0.0000166667,
        1,
        f"{_LAMBDA}/2540b080595eb6a0b672c67986e91a31b5e48cea/plans/aws-lambda-plans-pricing.yml",
        "2026-05-05",
    ),
    "queue request": Price(
        "SQS, standard queue", 0.40, MILLION, "https://cloudburn.io/blog/amazon-sqs-pricing", "2026-03-14"
    ),
    "event": Price(
        "EventBridge, custom event",
        1.00,
        MILLION,
        "https://cloudburn.io/blog/amazon-eventbridge-pricing",
        "2026-03-13",
    ),
    "schedule": Price(
        "EventBridge Scheduler",
        1.00,
        MILLION,
        "https://cloudburn.io/blog/amazon-eventbridge-pricing",
        "2026-03-13",
    ),
    "object written": Price(
        "S3, or listed", 0.005, 1_000, "https://c3x.dev/blog/s3-request-fees-explained", "undated"
    ),
    "object read": Price("S3", 0.0004, 1_000, "https://c3x.dev/blog/s3-request-fees-explained", "undated"),
    "transition": Price(
        "Step Functions Standard", 0.025, 1_000, "https://aws.amazon.com/step-functions/pricing/", "undated"
    ),
    "express request": Price(
        "Step Functions Express",
        1.00,
        MILLION,
        "https://aws.amazon.com/step-functions/pricing/ (example)",
        "undated",
    ),
    "express GB-hour": Price(
        "Step Functions Express",
        0.06,
        1,
        "https://aws.amazon.com/step-functions/pricing/ (example)",
        "undated",
    ),
    "durable operation": Price(
        "Lambda durable functions",
        8.00,
        MILLION,
        f"{_LAMBDA}/refs/heads/main/plans/aws-lambda-plans-pricing.yml (an example of AWS, transcribed)",
        "2026-09-20",
    ),
}
STREAM_SOURCE = (
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CostOptimization_StreamsUsage.html"
)
"""Lambda's reading of a table's stream is free."""
