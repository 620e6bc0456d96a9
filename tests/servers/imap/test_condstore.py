"""CONDSTORE: mod-sequences, and changes only where nobody was faster. RFC 7162 §3.1."""

import re

import pytest

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap


async def highest(client: ImapClient, command: str) -> int:
    """Of the mailbox that this command opens."""
    await client.send(f"h {command}\r\n".encode())
    found = 0
    while not (line := await client.line()).startswith("h OK"):
        if told := re.match(r"\* OK \[HIGHESTMODSEQ (\d+)\]", line):
            found = int(told.group(1))
    return found


async def test_opening_tells_the_highest_mod_sequence(inbox: ImapClient) -> None:
    before = await highest(inbox, "SELECT INBOX")
    await inbox.talk("C: a STORE 1 +FLAGS (\\Seen)\nS: * 1 FETCH (…\nS: a OK …")

    assert await highest(inbox, "EXAMINE INBOX (CONDSTORE)") > before > 0


async def test_a_conditional_store_that_passes_tells_the_new_mod_sequence_however_silent(inbox: ImapClient) -> None:
    known = await highest(inbox, "SELECT INBOX")

    await inbox.talk(rf"""
        C: a UID STORE 1,3 (UNCHANGEDSINCE {known}) +FLAGS.SILENT (\Deleted)
        S: * OK [HIGHESTMODSEQ {known}]…
        S: * 1 FETCH (UID 1 MODSEQ ({known + 1}))
        S: * 3 FETCH (UID 3 MODSEQ ({known + 1}))
        S: a OK STORE completed
    """)


async def test_what_has_changed_since_is_left_alone_and_named(inbox: ImapClient) -> None:
    known = await highest(inbox, "SELECT INBOX (CONDSTORE)")

    await inbox.talk(rf"""
        C: a STORE 2 +FLAGS.SILENT ($Processed)
        S: * 2 FETCH (UID 2 MODSEQ ({known + 1}))
        S: a OK STORE completed
        C: b STORE 1:3 (UNCHANGEDSINCE {known}) +FLAGS (\Answered $Processed)
        S: * FLAGS (… $Processed)
        S: * 1 FETCH (UID 1 FLAGS ($Processed \Answered) MODSEQ ({known + 2}))
        S: * 3 FETCH (UID 3 FLAGS ($Processed \Answered \Flagged) MODSEQ ({known + 2}))
        S: b OK [MODIFIED 2] Conditional STORE failed for some
        C: c UID STORE 1:3 (UNCHANGEDSINCE 0) FLAGS ()
        S: c OK [MODIFIED 1:3] Conditional STORE failed for some
    """)


async def test_a_change_of_other_flags_stands_in_nobodys_way(inbox: ImapClient, server: RunningImap) -> None:
    """RFC 7162 §3.1.12: no MODIFIED, and the client learns what else is new."""
    known = await highest(inbox, "SELECT INBOX (CONDSTORE)")
    async with imap_client(server.port) as other:
        await other.login()
        await other.talk("C: a SELECT INBOX\nS: ...\nS: a OK …\nC: b STORE 2 +FLAGS.SILENT (\\Deleted)\nS: b OK …")

    await inbox.talk(rf"""
        C: a STORE 2 (UNCHANGEDSINCE {known}) +FLAGS.SILENT ($Processed)
        S: * 2 FETCH (UID 2 MODSEQ ({known + 2}))
        S: * FLAGS (… $Processed)
        S: * 2 FETCH (UID 2 FLAGS ($Processed \Seen \Deleted) MODSEQ ({known + 2}))
        S: a OK STORE completed
        C: b STORE 2 (UNCHANGEDSINCE {known}) +FLAGS.SILENT ($Processed)
        S: b OK [MODIFIED 2] Conditional STORE failed for some
        C: c STORE 2 (UNCHANGEDSINCE {known}) -FLAGS.SILENT ($Processed)
        S: * 2 FETCH (UID 2 MODSEQ ({known + 3}))
        S: c OK STORE completed
        C: d STORE 2 (UNCHANGEDSINCE {known}) -FLAGS.SILENT ($Processed)
        S: d OK [MODIFIED 2] Conditional STORE failed for some
    """)


async def test_the_mod_sequence_0_asks_whether_a_flag_exists(inbox: ImapClient) -> None:
    """RFC 7162 §3.1.3, example 8."""
    await inbox.talk(r"""
        C: a STORE 1 (UNCHANGEDSINCE 0) +FLAGS.SILENT ($MDNSent)
        S: * OK [HIGHESTMODSEQ …
        S: * 1 FETCH (UID 1 MODSEQ (…))
        S: a OK STORE completed
        C: b STORE 1 (UNCHANGEDSINCE 0) +FLAGS.SILENT ($MDNSent)
        S: b OK [MODIFIED 1] Conditional STORE failed for some
        C: c STORE 1 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\Flagged)
        S: c OK [MODIFIED 1] Conditional STORE failed for some
    """)


async def test_a_flag_that_is_there_already_changes_no_mod_sequence(inbox: ImapClient) -> None:
    known = await highest(inbox, "SELECT INBOX (CONDSTORE)")

    await inbox.talk("C: a STORE 2 +FLAGS (\\Seen)\nS: * 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (…))\nS: a OK …")

    assert await highest(inbox, "SELECT INBOX") == known


@pytest.mark.parametrize("command", ["SELECT INBOX (CONDSTORE)", "ENABLE CONDSTORE"])
async def test_from_the_enabling_command_on_news_of_flags_have_their_mod_sequence(
    inbox: ImapClient, server: RunningImap, command: str
) -> None:
    known = await highest(inbox, command)

    async with imap_client(server.port) as other:
        await other.login()
        await other.talk("C: a SELECT INBOX\nS: ...\nS: a OK …")
        await other.talk("C: b STORE 3 -FLAGS (\\Flagged)\nS: * 3 FETCH (UID 3 FLAGS ())\nS: b OK …")

    await inbox.talk(f"C: c NOOP\nS: * 3 FETCH (UID 3 FLAGS () MODSEQ ({known + 1}))\nS: c OK …")


async def test_selecting_another_mailbox_says_where_the_first_ends(inbox: ImapClient) -> None:
    await inbox.talk("""
        C: a SELECT Drafts
        S: * OK [CLOSED]…
        S: * FLAGS …
        S: * 0 EXISTS
        S: ...
        S: a OK [READ-WRITE]…
        C: b SELECT nothing
        S: * OK [CLOSED]…
        S: b NO [NONEXISTENT]…
        C: c SELECT INBOX
        S: * FLAGS …
        S: ...
        S: c OK [READ-WRITE]…
    """)


async def test_enable_names_what_it_switched_on(client: ImapClient) -> None:
    await client.append(message(1))

    await client.talk("""
        C: a ENABLE condstore X-GOOD-IDEA
        S: * ENABLED CONDSTORE
        S: a OK ENABLE completed
        C: b ENABLE CONDSTORE QRESYNC
        S: * ENABLED QRESYNC
        S: b OK ENABLE completed
    """)


async def test_a_fetch_that_marks_seen_tells_uid_and_mod_sequence(inbox: ImapClient) -> None:
    """RFC 7162 §3.2.4."""
    await inbox.talk(r"""
        C: a ENABLE CONDSTORE
        S: * ENABLED CONDSTORE
        S: * OK [HIGHESTMODSEQ …
        S: a OK …
        C: b FETCH 1:2 BODY[]<0.1>
        S: * 1 FETCH (BODY[]<0> {1}
        S: F UID 1 FLAGS (\Seen) MODSEQ (…))
        S: * 2 FETCH (BODY[]<0> {1}
        S: F)
        S: b OK FETCH completed
    """)
