"""Object ids are of RFC 8474 §4's alphabet, and those of two accounts never meet."""

import re

import pytest

from mailstack.model.ids import AccountId, EmailId, MailboxId, MessageId, ThreadId
from mailstack.model.objectid import (
    MailBlob,
    blob_object_id,
    email_id_of,
    email_object_id,
    mail_blob_of,
    mailbox_id_of,
    mailbox_object_id,
    thread_id_of,
    thread_object_id,
)

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


def test_what_was_spelled_is_read() -> None:
    number = 2**62 // 100
    assert mailbox_id_of(ONE, mailbox_object_id(ONE, MailboxId(number))) == number
    assert email_id_of(ONE, email_object_id(ONE, EmailId(number))) == number
    assert thread_id_of(ONE, thread_object_id(ONE, ThreadId(number))) == number


@pytest.mark.parametrize(
    "text", ["", "F", f"F{ONE}", f"F{ONE}-", f"F{ONE}-01", f"F{ONE}-+1", f"F{OTHER}-1", f"M{ONE}-1"]
)
def test_what_is_none_of_ours_is_none(text: str) -> None:
    assert mailbox_id_of(ONE, text) is None


@pytest.mark.parametrize(
    "blob",
    [
        MailBlob(MessageId(1)),
        MailBlob(MessageId(2**59), 1),
        MailBlob(MessageId(7), 120),
        MailBlob(MessageId(7), 1, (2, 30)),
    ],
)
def test_blobs_are_found_by_their_ids(blob: MailBlob) -> None:
    written = blob_object_id(ONE, blob)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", written)
    assert mail_blob_of(ONE, written) == blob
    assert mail_blob_of(OTHER, written) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "B", "P", "-", f"B{ONE}", f"B{ONE}-", f"B{ONE}-01", f"B{ONE}-1-1", f"P{ONE}-1", f"P{ONE}-1-"),
        *(
            f"P{ONE}-1-01",
            f"P{ONE}-01-1",
            f"P{ONE}-1-1-",
            f"P{ONE}-1" + "-1" * 10,
            f"M{ONE}-1",
            f"B{ONE}--1",
            f"B{ONE}-\u0661",
        ),
        f"P{ONE}-1-\u0661",
        f"P{ONE}-1" + "-1" * 10,
    ],
)
def test_what_names_no_blob(text: str) -> None:
    assert mail_blob_of(ONE, text) is None


def test_parts_within_parts() -> None:
    assert MailBlob(MessageId(7)).part(2) == MailBlob(MessageId(7), 2)
    assert MailBlob(MessageId(7)).part(2).part(3).part(4) == MailBlob(MessageId(7), 2, (3, 4))
