"""Messages as JMAP has them: one Email, whatever mailboxes of an account it lies in. RFC 8621 §4."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from mailstack.model.errors import DomainError
from mailstack.model.flags import Keywords, keywords_from_text
from mailstack.model.ids import EmailId, MailboxId, MessageId, ModSeq, ThreadId, Uid

Element = TypeVar("Element")


class EmailPlace(NamedTuple):
    """is_deleted: \\Deleted, which belongs to the place."""

    mailbox_id: MailboxId
    uid: Uid
    mod_seq: ModSeq
    is_deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedEmail:
    """places: by ascending mailbox_id; at least one. mailbox_ids: where it is seen."""

    message_id: MessageId
    email_id: EmailId
    thread_id: ThreadId
    size_bytes: int
    keywords_text: str
    places: Sequence[EmailPlace]

    @property
    def keywords(self) -> Keywords:
        return keywords_from_text(self.keywords_text)

    @property
    def mailbox_ids(self) -> frozenset[MailboxId]:
        # RFC 8621 §4.1.1: with \Deleted it is not visible.
        return frozenset(place.mailbox_id for place in self.places if not place.is_deleted)

    @property
    def all_mailbox_ids(self) -> frozenset[MailboxId]:
        return frozenset(place.mailbox_id for place in self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPatch(Generic[Element]):
    """What becomes of a set, whatever somebody else has made of it meanwhile: `whole` in its place, or some more and
    some fewer."""

    whole: frozenset[Element] | None = None
    added: frozenset[Element] = frozenset()
    removed: frozenset[Element] = frozenset()

    def of(self, before: frozenset[Element]) -> frozenset[Element]:
        return before - self.removed | self.added if self.whole is None else self.whole


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailUpdate:
    """keywords hold no \\Deleted."""

    message_id: MessageId
    keywords: SetPatch[str] = SetPatch()
    mailboxes: SetPatch[MailboxId] = SetPatch()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailUpdated:
    message_id: MessageId
    mailboxes_before: frozenset[MailboxId]
    mailboxes: frozenset[MailboxId]
    keywords_before: Keywords
    keywords: Keywords


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailsUpdated:
    """updated: all that could be, also where nothing was to change. mod_seq: None when nothing changed at all."""

    updated: Sequence[EmailUpdated]
    refused: Mapping[MessageId, DomainError]
    mod_seq: ModSeq | None
