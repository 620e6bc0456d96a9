"""Object ids: the one spelling of what IMAP's OBJECTID and JMAP both show. RFC 8474 §3, RFC 8620 §1.2.

They hold the account's id, for one session may see mailboxes of several accounts (RFC 9051 §6.3.10).
"""

from dataclasses import dataclass

from mailstack.model.ids import AccountId, EmailId, MailboxId, MessageId, ThreadId


def mailbox_object_id(account_id: AccountId, mailbox_id: MailboxId) -> str:
    return f"F{account_id}-{mailbox_id}"


def email_object_id(account_id: AccountId, email_id: EmailId) -> str:
    return f"M{account_id}-{email_id}"


def thread_object_id(account_id: AccountId, thread_id: ThreadId) -> str:
    return f"T{account_id}-{thread_id}"


def mailbox_id_of(account_id: AccountId, object_id: str) -> MailboxId | None:
    """None: of another account or kind, or not how we spell one."""
    found = _number(object_id, mailbox_object_id(account_id, MailboxId(0)))
    return None if found is None else MailboxId(found)


def email_id_of(account_id: AccountId, object_id: str) -> EmailId | None:
    found = _number(object_id, email_object_id(account_id, EmailId(0)))
    return None if found is None else EmailId(found)


def thread_id_of(account_id: AccountId, object_id: str) -> ThreadId | None:
    found = _number(object_id, thread_object_id(account_id, ThreadId(0)))
    return None if found is None else ThreadId(found)


@dataclass(frozen=True, slots=True)
class MailBlob:
    """leaf: the number of a part (formats.body_parts), None for the whole message. inner: where that part is a message,
    the number of a part of it, and so on.
    """

    message_id: MessageId
    leaf: int | None = None
    inner: tuple[int, ...] = ()

    def part(self, number: int) -> "MailBlob":
        if self.leaf is None:
            return MailBlob(self.message_id, number)
        return MailBlob(self.message_id, self.leaf, (*self.inner, number))


MAX_INNER = 8
"""Messages within messages; of those deeper down no part has an id that is found again."""


def blob_object_id(account_id: AccountId, blob: MailBlob) -> str:
    if blob.leaf is None:
        return f"B{account_id}-{blob.message_id}"
    return "-".join((f"P{account_id}", str(blob.message_id), str(blob.leaf), *map(str, blob.inner)))


def mail_blob_of(account_id: AccountId, object_id: str) -> MailBlob | None:
    """None: of another account or kind, or not how we spell one."""
    message = _number(object_id, blob_object_id(account_id, MailBlob(MessageId(0))))
    if message is not None:
        return MailBlob(MessageId(message))
    stem = f"P{account_id}-"
    numbers = [_number(each, "0") for each in object_id.removeprefix(stem).split("-", MAX_INNER + 2)]
    whole = [number for number in numbers if number is not None]
    if not object_id.startswith(stem) or len(whole) < len(numbers) or not 2 <= len(whole) <= MAX_INNER + 2:
        return None
    return MailBlob(MessageId(whole[0]), whole[1], tuple(whole[2:]))


def _number(object_id: str, pattern: str) -> int | None:
    """pattern: one of this account and kind, with the number 0."""
    stem, number = pattern[:-1], object_id[len(pattern) - 1 :]
    is_ours = object_id.startswith(stem) and number.isascii() and number.isdigit() and len(number) < 19
    return int(number) if is_ours and str(int(number)) == number else None
