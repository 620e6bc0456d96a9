"""What was promised to senders and sending cannot keep yet: such mail comes back, it is never sent as something less.

Most of it is refused in RCPT; here is what an alias or a domain that changed since would have let out. RFC 3030 §4,
RFC 8689 §4.2.1, §5.
"""

from mailstack.model.delivery import Failed, SmtpReply
from mailstack.model.handling import Handling

# RFC 8689 §8.4: X.7.30; RFC 3463 §3.7: X.6.3.
_NO_TLS = Failed(reply=SmtpReply(code=550, status="5.7.30", text="REQUIRETLS cannot be assured on the way"), host="")
_NO_BINARY = Failed(reply=SmtpReply(code=554, status="5.6.3", text="a binary message cannot be sent on"), host="")


def cannot_be_sent(handling: Handling) -> Failed | None:
    if handling.requires_tls:
        return _NO_TLS
    return _NO_BINARY if handling.is_binary else None
