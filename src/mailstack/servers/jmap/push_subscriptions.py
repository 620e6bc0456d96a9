"""Push subscriptions as JSON: of the login that asks, not of an account. RFC 8620 §7.2."""

from collections.abc import Mapping
from typing import Any

from mailstack.model.instant import iso
from mailstack.model.push import PushStage, PushSubscription
from mailstack.servers.jmap.method import Call
from mailstack.services.push.credentials import credential_of
from mailstack.wire.jmap.push_wanted import write_keys

PROPERTIES = ("id", "deviceClientId", "verificationCode", "expires", "types")
PRIVATE = ("url", "keys")
"""RFC 8620 §7.2.1: a device's own, told to nobody."""


async def subscriptions_of(call: Call) -> Mapping[str, PushSubscription]:
    """By id."""
    service, login = call.service, call.login
    found = await service.push_subscriptions.of_credential(login.account_id, credential_of(login), now=service.clock())
    return {subscription.push_id: subscription for subscription in found}


def push_object(subscription: PushSubscription) -> dict[str, Any]:
    """With all PROPERTIES."""
    return {
        "id": subscription.push_id,
        "deviceClientId": subscription.device_client_id,
        # Whoever is to show it must have heard it at the URL.
        "verificationCode": subscription.code if subscription.stage is PushStage.VERIFIED else None,
        "expires": iso(subscription.expires_at),
        "types": None if subscription.types is None else [*subscription.types],
    }


def whole_push_object(subscription: PushSubscription) -> dict[str, Any]:
    """With what is private: for comparison."""
    keys = subscription.keys
    return {
        **push_object(subscription),
        "url": subscription.url,
        "keys": None if keys is None else write_keys(keys),
    }
