"""What SELECT and EXAMINE say of a mailbox. RFC 3501 §6.3.1."""

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient


async def test_the_first_unseen_message_and_the_keywords_in_use_are_told(client: ImapClient) -> None:
    for flags in ("\\Seen $forwarded", "\\Seen Invoice", "zebra \\Flagged", ""):
        await client.append(message(1), flags=flags)

    await client.talk(r"""
        C: a SELECT inbox
        S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $MDNSent $Junk $NotJunk Invoice zebra)
        S: * 4 EXISTS
        S: * 0 RECENT
        S: * OK [UNSEEN 3]…
        S: * OK [UIDVALIDITY …
        S: * OK [UIDNEXT 5]…
        S: * OK [PERMANENTFLAGS (\Answered … $NotJunk Invoice zebra \*)]…
        S: a OK [READ-WRITE]…
        C: b EXAMINE INBOX
        S: * FLAGS (…zebra)
        S: * 4 EXISTS
        S: * 0 RECENT
        S: * OK [UNSEEN 3]…
        S: * OK [UIDVALIDITY …
        S: * OK [UIDNEXT 5]…
        S: * OK [PERMANENTFLAGS ()]…
        S: b OK [READ-ONLY]…
    """)


async def test_where_all_is_seen_no_first_unseen_message_is_told(client: ImapClient) -> None:
    await client.append(message(1), flags="\\Seen")

    await client.talk("""
        C: a SELECT INBOX
        S: * FLAGS …
        S: * 1 EXISTS
        S: * 0 RECENT
        S: * OK [UIDVALIDITY …
        S: * OK [UIDNEXT 2]…
        S: * OK [PERMANENTFLAGS …
        S: a OK [READ-WRITE]…
    """)


async def test_a_mailbox_that_is_not_there_leaves_nothing_selected(inbox: ImapClient) -> None:
    await inbox.talk("""
        C: a SELECT nothing
        S: a NO [NONEXISTENT]…
        C: b FETCH 1 FLAGS
        S: b BAD Not in this state: authenticated
    """)
