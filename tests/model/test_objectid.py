"""Object ids are of RFC 8474 §4's alphabet, and those of two accounts never meet."""

import re

from mailstack.model.ids import AccountId, EmailId, MailboxId, ThreadId
from mailstack.model.objectid import email_object_id, mailbox_object_id, thread_object_id

ONE, OTHER = AccountId("00c0ffee00c0ffee"), AccountId("0123456789abcdef")


def test_all_differ() -> None:
    made = [
        one
        for account_id in (ONE, OTHER)
        for number in (1, 2**62)
        for one in (
            mailbox_object_id(account_id, MailboxId(number)),
            email_object_id(account_id, EmailId(number)),
            thread_object_id(account_id, ThreadId(number)),
        )
    ]
    assert len(set(made)) == 12
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,255}", one) for one in made)
