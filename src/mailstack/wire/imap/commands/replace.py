"""REPLACE and UID REPLACE: a new message for an old one. RFC 8508 §3. Its text is read by wire.imap.intake."""

from dataclasses import dataclass

from mailstack.wire.imap.commands.append import Upload
from mailstack.wire.imap.commands.numbered import Numbered


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """message: one, in the selected mailbox. uploads: one, for the mailbox that is named."""

    message: Numbered
    mailbox: str
    uploads: tuple[Upload, ...]
