"""APPEND, as it is once all its messages have come: their octets come apart, for they may be larger than what we like
to hold. How its text is read between them is wire.imap.intake's.

RFC 9051 §6.3.12, RFC 3502 (several messages), RFC 6855 §4 (UTF8); UIDPLUS, RFC 4315 §3, is in the answer.
"""

from dataclasses import dataclass

from mailstack.model.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One message of the command. received_at: None when the client leaves it to us. is_utf8: sent as UTF8 (…)."""

    flags: tuple[str, ...] = ()
    received_at: Instant | None = None
    is_utf8: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    mailbox: str
    uploads: tuple[Upload, ...]
