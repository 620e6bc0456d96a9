"""The PushVerification object, by which a program proves that it hears what is sent to its URL. RFC 8620 §7.2.2."""

from typing import Any


def push_verification(push_id: str, code: str) -> dict[str, Any]:
    return {"@type": "PushVerification", "pushSubscriptionId": push_id, "verificationCode": code}
