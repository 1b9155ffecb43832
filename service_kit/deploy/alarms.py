"""Alarms, all told to one topic if the deployer names one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from service_kit.deploy.template import Parameter, Resource
from service_kit.deploy.values import NO_VALUE, If, NotEmpty, Ref, Value

TOPIC = "AlarmTopic"
TOPIC_GIVEN = "HasAlarmTopic"

PARAMETERS: Mapping[str, Parameter] = {
    TOPIC: Parameter(
        "String", "ARN of the SNS topic that hears of alarms; without it they are only shown", ""
    )
}
CONDITIONS: Mapping[str, NotEmpty] = {TOPIC_GIVEN: NotEmpty(TOPIC)}


def alarm(
    description: str,
    metric: tuple[str, str],
    dimensions: Mapping[str, Value],
    above: float = 0,
    statistic: Literal["Sum", "Maximum"] = "Sum",
) -> Resource:
    """Return an alarm for a metric (namespace and name) that is above a number for a minute."""
    namespace, name = metric
    return Resource(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmDescription": description,
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": statistic,
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": above,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": If(TOPIC_GIVEN, [Ref(TOPIC)], NO_VALUE),
        },
    )
