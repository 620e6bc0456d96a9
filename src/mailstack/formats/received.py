"""Received fields: when a message came, as the servers say that took it in. RFC 5321 §4.4, RFC 5322 §3.6.7."""

from collections.abc import Sequence

from mailstack.formats.dates import parse_date
from mailstack.formats.headers import Field, first
from mailstack.model.instant import Instant


def last_hop(fields: Sequence[Field]) -> Instant | None:
    """By whichever server took it in last. None where it does not say."""
    return parse_date((first(fields, b"received") or b"").rpartition(b";")[2])
