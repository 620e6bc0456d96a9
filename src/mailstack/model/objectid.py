"""Object ids: the one spelling of what IMAP's OBJECTID and JMAP both show. RFC 8474 §3, RFC 8620 §1.2.

They hold the account's id, for one session may see mailboxes of several accounts (RFC 9051 §6.3.10).
"""

from mailstack.model.ids import AccountId, EmailId, MailboxId, ThreadId


def mailbox_object_id(account_id: AccountId, mailbox_id: MailboxId) -> str:
    return f"F{account_id}-{mailbox_id}"


def email_object_id(account_id: AccountId, email_id: EmailId) -> str:
    return f"M{account_id}-{email_id}"


def thread_object_id(account_id: AccountId, thread_id: ThreadId) -> str:
    return f"T{account_id}-{thread_id}"
