"""ESEARCH as dialogues: many mailboxes, others' too, and none that may not be read. RFC 7377 §2, §3."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient
from tests.support.two_accounts import OTHERS, TwoAccounts, two_accounts


@pytest.fixture
async def folders(client: ImapClient) -> ImapClient:
    await client.talk("""
        C: a CREATE folder1
        S: a OK …
        C: b CREATE folder2/banana/split
        S: b OK …
        C: c CREATE folder2/peach
        S: c OK …
        C: d SUBSCRIBE folder2/peach
        S: d OK …
    """)
    for mailbox, flags in (
        ("folder1", ""),
        ("folder1", "\\Seen"),
        ("folder1", ""),
        ("folder2/banana", "\\Seen"),
        ("folder2/banana", ""),
        ("folder2/banana/split", ""),
        ("folder2/peach", "\\Seen"),
    ):
        await client.append(message(1), mailbox=mailbox, flags=flags)
    return client


async def test_the_mailboxes_named(folders: ImapClient) -> None:
    # RFC 7377 §3
    await folders.talk("""
        C: tag1 ESEARCH IN (mailboxes "folder1" subtree "folder2") unseen
        S: * ESEARCH (TAG "tag1" MAILBOX "folder1" UIDVALIDITY …) UID ALL 1,3
        S: * ESEARCH (TAG "tag1" MAILBOX "folder2/banana" UIDVALIDITY …) UID ALL 2
        S: * ESEARCH (TAG "tag1" MAILBOX "folder2/banana/split" UIDVALIDITY …) UID ALL 1
        S: tag1 OK ESEARCH completed
        C: tag2 ESEARCH IN (mailboxes "folder1" subtree-one "folder2") RETURN (MIN COUNT) subject "message"
        S: * ESEARCH (TAG "tag2" MAILBOX "folder1" UIDVALIDITY …) UID MIN 1 COUNT 3
        S: * ESEARCH (TAG "tag2" MAILBOX "folder2/banana" UIDVALIDITY …) UID MIN 1 COUNT 2
        S: * ESEARCH (TAG "tag2" MAILBOX "folder2/peach" UIDVALIDITY …) UID MIN 1 COUNT 1
        S: tag2 OK …
        C: tag3 ESEARCH IN (mailboxes (folder1 nothing folder1)) RETURN (COUNT) KEYWORD nothing
        S: tag3 OK …
    """)


async def test_the_mailboxes_reached(folders: ImapClient) -> None:
    await folders.talk("""
        C: a ESEARCH IN (personal) RETURN (COUNT) SEEN
        S: * ESEARCH (TAG "a" MAILBOX "folder1" UIDVALIDITY …) UID COUNT 1
        S: * ESEARCH (TAG "a" MAILBOX "folder2/banana" UIDVALIDITY …) UID COUNT 1
        S: * ESEARCH (TAG "a" MAILBOX "folder2/peach" UIDVALIDITY …) UID COUNT 1
        S: a OK …
        C: b ESEARCH IN (subscribed mailboxes (nothing folder2/peach)) SEEN
        S: * ESEARCH (TAG "b" MAILBOX "folder2/peach" UIDVALIDITY …) UID ALL 1
        S: b OK …
        C: c ESEARCH IN (inboxes) RETURN (PARTIAL -1:-1) 1:2 NOT DELETED SUBJECT message
        S: * ESEARCH (TAG "c" MAILBOX "folder1" UIDVALIDITY …) UID PARTIAL (-1:-1 2)
        S: * ESEARCH (TAG "c" MAILBOX "folder2/banana" UIDVALIDITY …) UID PARTIAL (-1:-1 2)
        S: * ESEARCH (TAG "c" MAILBOX "folder2/banana/split" UIDVALIDITY …) UID PARTIAL (-1:-1 1)
        S: * ESEARCH (TAG "c" MAILBOX "folder2/peach" UIDVALIDITY …) UID PARTIAL (-1:-1 1)
        S: c OK …
        C: d ESEARCH IN (subtree folder2/banana) UID * MODSEQ 1 YOUNGER 1000
        S: * ESEARCH (TAG "d" MAILBOX "folder2/banana" UIDVALIDITY …) UID ALL 2 MODSEQ …
        S: * ESEARCH (TAG "d" MAILBOX "folder2/banana/split" UIDVALIDITY …) UID ALL 1 MODSEQ …
        S: d OK …
    """)


async def test_the_selected_mailbox(folders: ImapClient) -> None:
    await folders.talk("""
        C: a ESEARCH ALL
        S: a BAD No mailbox is selected
        C: b ESEARCH IN (selected personal) ALL
        S: b BAD …
        C: s EXAMINE folder1
        S: ...
        S: s OK …
        C: c ESEARCH UNSEEN
        S: * ESEARCH (TAG "c" MAILBOX "folder1" UIDVALIDITY …) UID ALL 1,3
        S: c OK …
        C: d ESEARCH RETURN (SAVE) UNSEEN
        S: d OK …
        C: e FETCH $ UID
        S: * 1 FETCH (UID 1)
        S: * 3 FETCH (UID 3)
        S: e OK …
        C: f ESEARCH IN (mailboxes (folder1 folder2/peach)) $
        S: * ESEARCH (TAG "f" MAILBOX "folder1" UIDVALIDITY …) UID ALL 1,3
        S: f OK …
        C: g ESEARCH IN (personal) RETURN (SAVE) ALL
        S: g BAD …
        C: h ESEARCH KEYWORD nothing
        S: h OK …
        C: i ESEARCH CHARSET KOI8-R TEXT x
        S: i NO [BADCHARSET (US-ASCII UTF-8)] …
    """)


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[TwoAccounts]:
    async with two_accounts(tmp_path) as accounts:
        yield accounts


@pytest.mark.parametrize(
    "sources",
    [f'mailboxes "{OTHERS}/shared"', f'subtree "{OTHERS}/shared"', f'subtree "{OTHERS}"', 'subtree "Other Users"'],
)
async def test_others_mailboxes_that_may_be_read(two: TwoAccounts, sources: str) -> None:
    await two.share("lr")
    await two.other.talk(rf"""
        C: a ESEARCH IN ({sources} personal) RETURN (COUNT) ALL
        S: * ESEARCH (TAG "a" MAILBOX "{OTHERS}/shared" UIDVALIDITY …) UID COUNT 3
        S: a OK …
    """)


@pytest.mark.parametrize("rights", ["", "l", "r"])
@pytest.mark.parametrize("sources", [f'subtree "{OTHERS}"', f'subtree-one "{OTHERS}/shared"', "subscribed personal"])
async def test_what_may_not_be_listed_and_read_is_not_revealed(two: TwoAccounts, rights: str, sources: str) -> None:
    """CVE-2026-47081 to 47089: an answer that differs would tell what there is."""
    if rights:
        await two.share(rights)
    await two.other.talk(rf"""
        C: a ESEARCH IN ({sources}) ALL
        S: a OK ESEARCH completed
    """)


@pytest.mark.parametrize("rights", ["", "l"])
async def test_a_name_does_not_help_without_the_right_to_read(two: TwoAccounts, rights: str) -> None:
    if rights:
        await two.share(rights)
    for name in ("shared", "INBOX", "nothing"):
        await two.other.talk(f'C: a ESEARCH IN (mailboxes "{OTHERS}/{name}") ALL\nS: a OK ESEARCH completed')
