"""Who hears of a model: the e-mail addresses of its file, as filtered subscriptions to the topic."""

from __future__ import annotations

import json
import os

from tidegate.core.spec import ModelSpec
from tidegate.edge.storage import client


def subscribe(spec: ModelSpec) -> None:
    """Subscribe every address of a model's file to the model's notifications.

    Subscribing twice changes nothing; an address that several models name has one subscription whose
    filter lists them all. AWS asks each new address to confirm.
    """
    topic = os.environ["NOTIFICATION_TOPIC_ARN"]
    if not spec.notify:
        return
    sns = client("sns")
    known = {
        entry["Endpoint"]: entry["SubscriptionArn"]
        for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        for entry in page["Subscriptions"]
    }
    for address in spec.notify:
        arn = known.get(address)
        if arn is None:
            policy = json.dumps({"model": [spec.name]})
            sns.subscribe(
                TopicArn=topic, Protocol="email", Endpoint=address, Attributes={"FilterPolicy": policy}
            )
        elif arn.startswith("arn:"):
            _add_model(arn, spec.name)


def _add_model(arn: str, model: str) -> None:
    attributes = client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    models = json.loads(attributes.get("FilterPolicy") or "{}").get("model", [])
    if model not in models:
        policy = json.dumps({"model": [*models, model]})
        client("sns").set_subscription_attributes(
            SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=policy
        )
