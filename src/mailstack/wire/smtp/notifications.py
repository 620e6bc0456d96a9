"""What MAIL and RCPT say of notifications to a server that has the extension: what the sender said, no more, no less.

RFC 3461 §4, §5.2.1; RFC 6533 §3.
"""

from mailstack.model.handling import Handling, Notification


def mail_parameters(handling: Handling) -> bytes:
    """b"" or parameters with a blank before each."""
    # RFC 3461 §5.2.1: RET and ENVID are passed on as they came, and not made up where they did not.
    returned = f" RET={handling.returned}" if handling.returned is not None else ""
    return (returned + (f" ENVID={handling.envelope_id}" if handling.envelope_id else "")).encode("ascii")


def rcpt_parameters(notification: Notification, *, smtp_utf8: bool) -> bytes:
    """As mail_parameters. smtp_utf8: whether the transaction is one of RFC 6531."""
    notify = ""
    if notification.notify_on is not None:
        # RFC 3461 §4.1: NEVER stands for the empty list.
        notify = " NOTIFY=" + (",".join(sorted(notification.notify_on)) or "NEVER")
    original = notification.original_recipient
    if not smtp_utf8:
        # RFC 6533 §3: utf-8-addr-unitext is for transactions with SMTPUTF8; in others it is utf-8-addr-xtext.
        original = "".join(c if c.isascii() else f"\\x{{{ord(c):02X}}}" for c in original)
    return (notify + (f" ORCPT={original}" if original else "")).encode()
