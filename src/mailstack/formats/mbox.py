"""Mail as mbox: one file for a mailbox, that every program imports. RFC 4155, in the form `mboxrd`. Written only."""

import re

from mailstack.model.instant import Instant, as_datetime

# A line that could be taken for the next separator; with one ">" more, it can be had back as it was.
_SEPARATOR = re.compile(rb"^(?=>*From )", re.MULTILINE)
# asctime's words, whatever the locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def mbox_entry(raw: bytes, received_at: Instant) -> bytes:
    """RFC 4155, appendix A: a separator that says when it came, lines that end in LF, and an empty one behind."""
    when = as_datetime(received_at)
    day, month = _DAYS[when.weekday()], _MONTHS[when.month - 1]
    separator = f"From MAILER-DAEMON {day} {month} {when.day:2} {when:%H:%M:%S} {when.year}\n".encode("ascii")
    text = _SEPARATOR.sub(b">", raw.replace(b"\r\n", b"\n"))
    return separator + text + (b"\n" if text.endswith(b"\n") else b"\n\n")
