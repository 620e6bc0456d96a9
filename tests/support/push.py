"""Push subscriptions as tests have them."""

from mailstack.model.ids import AccountId, PushId
from mailstack.model.instant import Instant
from mailstack.model.push import PushKeys, PushStage, PushSubscription

NEVER = Instant(2**52)


def push_subscription(
    account_id: AccountId, push_id: str = "p1", *, credential: str = "c1", expires_at: Instant = NEVER
) -> PushSubscription:
    return PushSubscription(
        push_id=PushId(push_id),
        account_id=account_id,
        credential=credential,
        device_client_id="a889-ffea-910",
        url="https://push.example.com/?device=X8980fc",
        keys=PushKeys(p256dh=b"\4" + bytes(64), auth=bytes(range(16))),
        code="da1f097b11ca17f06424e30bf02bfa67",
        stage=PushStage.NEW,
        types=("Email", "Mailbox"),
        expires_at=expires_at,
    )
