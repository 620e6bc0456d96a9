"""What ENABLE IMAP4rev2 changes, and what stays for clients of IMAP4rev1. RFC 9051, Appendix A and E."""

import pytest

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient


@pytest.fixture
async def rev2(client: ImapClient) -> ImapClient:
    """INBOX has two messages, the first of them seen."""
    await client.append(message(1), flags="\\Seen")
    await client.append(message(2))
    await client.talk("""
        C: e ENABLE IMAP4rev2
        S: * ENABLED IMAP4rev2
        S: e OK ENABLE completed
    """)
    return client


async def test_both_revisions_are_offered(stranger: ImapClient) -> None:
    await stranger.talk("C: a CAPABILITY\nS: * CAPABILITY IMAP4rev1 IMAP4rev2 …\nS: a OK …")


async def test_select_lists_the_mailbox_and_speaks_of_nothing_recent(rev2: ImapClient) -> None:
    await rev2.talk(r"""
        C: a SELECT inbox
        S: * FLAGS …
        S: * 2 EXISTS
        S: * LIST (\HasNoChildren) "/" "INBOX"
        S: * OK [UIDVALIDITY …
        S: * OK [UIDNEXT 3]…
        S: * OK [PERMANENTFLAGS …
        S: * OK [HIGHESTMODSEQ …
        S: * OK [MAILBOXID …
        S: a OK [READ-WRITE] SELECT completed
        C: b SELECT Sent
        S: * OK [CLOSED]…
        S: * FLAGS …
        S: * 0 EXISTS
        S: * LIST (\HasNoChildren \Sent) "/" "Sent"
        S: ...
        S: b OK [READ-WRITE] SELECT completed
    """)


async def test_names_are_utf8_and_one_that_is_spelt_otherwise_is_told(rev2: ImapClient) -> None:
    await rev2.talk("""
        C: a CREATE "Entwürfe & mehr"
        S: ...
        S: a OK …
        C: b LIST "" "Ent*"
        S: * LIST (…) "/" "Entwürfe & mehr"
        S: b OK …
        C: c EXAMINE "Entwu\u0308rfe & mehr"
        S: * FLAGS …
        S: * 0 EXISTS
        S: * LIST (\\HasNoChildren) "/" "Entwürfe & mehr" ("OLDNAME" ("Entwu\u0308rfe & mehr"))
        S: ...
        S: c OK [READ-ONLY]…
    """)


async def test_search_answers_with_esearch(rev2: ImapClient) -> None:
    await rev2.talk("""
        C: a SELECT INBOX
        S: ...
        S: a OK …
        C: b UID SEARCH ALL
        S: * ESEARCH (TAG "b") UID ALL 1:2
        S: b OK …
        C: c SEARCH UNSEEN
        S: * ESEARCH (TAG "c") ALL 2
        S: c OK …
    """)


async def test_status_of_size_and_of_what_is_deleted(rev2: ImapClient) -> None:
    size = len(message(1)) + len(message(2))
    await rev2.talk(f"""
        C: a STATUS INBOX (MESSAGES UNSEEN DELETED SIZE)
        S: * STATUS "INBOX" (MESSAGES 2 UNSEEN 1 DELETED 0 SIZE {size})
        S: a OK …
    """)


async def test_what_rev1_had_is_still_understood(rev2: ImapClient) -> None:
    await rev2.talk("""
        C: a SELECT INBOX
        S: ...
        S: a OK …
        C: b CHECK
        S: b OK …
        C: c LSUB "" INBOX
        S: * LSUB (…) "/" "INBOX"
        S: c OK …
        C: d FETCH 2 RFC822.SIZE
        S: * 2 FETCH (RFC822.SIZE …)
        S: d OK …
        C: e SEARCH OLD
        S: * ESEARCH (TAG "e") ALL 1:2
        S: e OK …
    """)


async def test_without_enable_names_are_modified_utf7(client: ImapClient) -> None:
    await client.talk("""
        C: a CREATE Entw&APw-rfe
        S: a OK …
        C: b LIST "" Ent*
        S: * LIST (…) "/" "Entw&APw-rfe"
        S: b OK …
    """)
