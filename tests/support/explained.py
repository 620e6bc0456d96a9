"""A mail on its way in, for tests of what is told of it."""

from mailstack.services.inbound.mail import InboundMail
from tests.support.smtp_world import SmtpWorld

MAIL = InboundMail(
    peer_host="192.0.2.1",
    ehlo_domain="mx.sender.test",
    protocol="ESMTP",
    trace_id="t",
    reverse_path="x@sender.test",
    size_bytes=0,
    is_8bit=False,
    smtp_utf8=False,
    received_at=SmtpWorld().clock(),
)
