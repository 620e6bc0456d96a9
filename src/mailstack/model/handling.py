"""What a sender asks of every server that its mail passes: how to carry it, and what to tell of its fate.

Values only, kept with the mail in the queue. RFC 3030 §3 (binary), RFC 3461 §4 (notifications), RFC 8689 §2 (TLS).
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class Returned(StrEnum):
    """RFC 3461 §4.3: how much of the mail a notice of its failure brings back."""

    FULL = "FULL"
    HEADERS = "HDRS"


class NotifyOn(StrEnum):
    """RFC 3461 §4.1."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    DELAY = "DELAY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """Of one mail. is_binary: its parts hold octets that no line carries. requires_tls: it must not be sent on but to
    a server that promises the same, under TLS that is verified. envelope_id: xtext as written, "" without one.
    """

    is_binary: bool = False
    requires_tls: bool = False
    returned: Returned | None = None
    envelope_id: str = ""

    @property
    def inherited(self) -> "Handling":
        """What other mail takes over that is written because of this one. RFC 8689 §5, §6."""
        return Handling(requires_tls=True) if self.requires_tls else PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Of one recipient. notify_on: None where the sender leaves it to the server; empty for never.
    original_recipient: type and xtext as written, `rfc822;bob@example.com`, "" without one."""

    notify_on: frozenset[NotifyOn] | None = None
    original_recipient: str = ""

    def wants(self, event: NotifyOn) -> bool:
        """RFC 3461 §4.1: without NOTIFY, failures are told, and delays where the server has the habit."""
        return event is not NotifyOn.SUCCESS if self.notify_on is None else event in self.notify_on

    def without_success(self) -> "Notification":
        if not self.wants(NotifyOn.SUCCESS):
            return self
        return replace(self, notify_on=(self.notify_on or frozenset()) - {NotifyOn.SUCCESS})


PLAIN = Handling()
UNASKED = Notification()
"""Where nothing was asked for: nearly all mail."""
