"""What looking after an account's file shows: its sizes, and where it breaks its own rules."""

from dataclasses import dataclass

from mailstack.model.ids import MailboxId
from mailstack.model.instant import Instant

UNKNOWN_BYTES = 1
"""Of an account whose file is damaged: nobody can tell any more what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """A broken rule. rule: a short stable word for programs. where: what it is about. text: what is wrong, in words."""

    rule: str
    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSizes:
    """path: from the root, leaf names joined by the delimiter."""

    mailbox_id: MailboxId
    path: str
    messages: int
    unseen: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSizes:
    """used_bytes: the sum of the messages' sizes, as quotas count it. disk_bytes: what it takes up, its large
    blobs in whole even when other accounts share them. oldest, newest: when messages were received; None: there are
    none.
    """

    messages: int
    used_bytes: int
    disk_bytes: int
    oldest: Instant | None
    newest: Instant | None
    mailboxes: tuple[MailboxSizes, ...]
