"""A mail as sources of spam scores see it, and what they say of it."""

from dataclasses import replace
from typing import Any

from mailstack.formats.addresses import Mailbox
from mailstack.model.instant import Instant
from mailstack.services.spam.examined import Examined
from mailstack.spam.features import features_in
from mailstack.spam.seen import look_at

RAW = (
    b"From: Deals <deals@shop.example>\r\nTo: alice@example.com\r\nSubject: Offer\r\n\r\nbuy cheap replica watches\r\n"
)


def examined(raw: bytes = RAW, **changes: Any) -> Examined:
    """changes: of fields of Examined."""
    seen = look_at(raw)
    mail = Examined(
        raw=raw,
        seen=seen,
        features=features_in(seen),
        sender=None,
        authentication=None,
        author=Mailbox(name=b"Deals", local_part=b"deals", domain=b"shop.example"),
        peer_host="8.8.4.4",
        ehlo_domain="mx.shop.example",
        reverse_path="deals@shop.example",
        received_at=Instant(0),
        trace_id="t",
    )
    return replace(mail, **changes)
