"""FETCH, STORE, SEARCH, COPY, MOVE, EXPUNGE, CLOSE, IDLE as dialogues."""

import pytest

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap


async def test_fetch_what_is_known_without_the_message(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a FETCH 1:* FLAGS
        S: * 1 FETCH (FLAGS ())
        S: * 2 FETCH (FLAGS (\Seen))
        S: * 3 FETCH (FLAGS (\Flagged))
        S: a OK FETCH completed
        C: b UID FETCH 2:* (FLAGS RFC822.SIZE)
        S: * 2 FETCH (UID 2 FLAGS (\Seen) RFC822.SIZE …)
        S: * 3 FETCH (UID 3 FLAGS (\Flagged) RFC822.SIZE …)
        S: b OK …
        C: c FETCH 3 (UID ENVELOPE)
        S: * 3 FETCH (UID 3 ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800" "message 3" (("Sender 3" NIL "sender3"…
        S: c OK …
        C: d FETCH 1 (BODY BODYSTRUCTURE INTERNALDATE)
        S: * 1 FETCH (BODY ("text" "plain" …) BODYSTRUCTURE ("text" "plain" …) INTERNALDATE "…")
        S: d OK …
        C: e FETCH 9 FLAGS
        S: e BAD No message has this number
        C: f UID FETCH 9 FLAGS
        S: f OK …
    """)


async def test_an_empty_mailbox_has_no_numbers(inbox: ImapClient) -> None:
    # RFC 9051 §9: seq-number; 1:* is let pass, for clients send it before they look.
    await inbox.talk(r"""
        C: a SELECT Archive
        S: ...
        S: a OK …
        C: b FETCH 1:* FLAGS
        S: b OK …
        C: c FETCH 1 FLAGS
        S: c BAD No message has this number
        C: d STORE 1:3 FLAGS (\Seen)
        S: d BAD No message has this number
        C: e UID FETCH 1 FLAGS
        S: e OK …
    """)


async def test_fetch_parts_of_the_message(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a FETCH 1 BODY.PEEK[TEXT]
        S: * 1 FETCH (BODY[TEXT] {11}
        S: body of 1
        S: )
        S: a OK …
        C: b FETCH 1:2 BODY.PEEK[HEADER.FIELDS (SUBJECT)]
        S: * 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {22}
        S: Subject: message 1
        S:
        S: )
        S: * 2 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {22}
        S: Subject: message 2
        S:
        S: )
        S: b OK …
        C: c FETCH 1 (BODY.PEEK[HEADER.FIELDS (X-Number)] BODY.PEEK[TEXT]<8.100> BODY.PEEK[7])
        S: * 1 FETCH (BODY[HEADER.FIELDS (X-Number)] {15}
        S: X-Number: 1
        S:
        S:  BODY[TEXT]<8> {3}
        S: 1
        S:  BODY[7] NIL)
        S: c OK …
    """)


async def test_fetching_a_body_marks_it_seen_and_says_so(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a FETCH 1 BODY[TEXT]
        S: * 1 FETCH (BODY[TEXT] {11}
        S: body of 1
        S:  FLAGS (\Seen))
        S: a OK …
        C: b FETCH 1 (FLAGS RFC822.TEXT)
        S: * 1 FETCH (FLAGS (\Seen) RFC822.TEXT {11}
        S: body of 1
        S: )
        S: b OK …
    """)


async def test_store(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a STORE 1:2 +FLAGS (\Answered $Forwarded)
        S: * 1 FETCH (UID 1 FLAGS ($Forwarded \Answered))
        S: * 2 FETCH (UID 2 FLAGS ($Forwarded \Answered \Seen))
        S: a OK …
        C: b UID STORE 2 FLAGS (\Deleted)
        S: * 2 FETCH (UID 2 FLAGS (\Deleted))
        S: b OK …
        C: c STORE 3 -FLAGS.SILENT (\Flagged)
        S: c OK …
        C: d FETCH 3 FLAGS
        S: * 3 FETCH (FLAGS ())
        S: d OK …
        C: e NOOP
        S: e OK …
    """)


async def test_copy_and_move(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a COPY 1:2 Archive
        S: a OK [COPYUID … 1:2 1:2] COPY completed
        C: b UID MOVE 1 Trash
        S: * OK [COPYUID … 1 1] Moved
        S: * 1 EXPUNGE
        S: b OK MOVE completed
        C: c COPY 1 nothing
        S: c NO [TRYCREATE]…
        C: e UID COPY 99 Archive
        S: e OK …
        C: f COPY 1 INBOX
        S: * 3 EXISTS
        S: f OK [COPYUID … 2 4]…
        C: g STATUS Archive (MESSAGES)
        S: * STATUS "Archive" (MESSAGES 2)
        S: g OK …
    """)


async def test_moving_to_where_a_message_is_gives_it_a_new_uid(inbox: ImapClient) -> None:
    """RFC 9051 §6.4.8: allowed where COPY to the selected mailbox is."""
    await inbox.talk("""
        C: a MOVE 1 INBOX
        S: * OK [COPYUID … 1 4] Moved
        S: * 1 EXPUNGE
        S: * 3 EXISTS
        S: a OK MOVE completed
        C: b FETCH 1:* UID
        S: * 1 FETCH (UID 2)
        S: * 2 FETCH (UID 3)
        S: * 3 FETCH (UID 4)
        S: b OK …
    """)


async def test_expunge_counts_from_the_end(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a STORE 1,3 +FLAGS.SILENT (\Deleted)
        S: a OK …
        C: b UID EXPUNGE 3
        S: * 3 EXPUNGE
        S: b OK …
        C: c EXPUNGE
        S: * 1 EXPUNGE
        S: c OK …
        C: d FETCH 1:* UID
        S: * 1 FETCH (UID 2)
        S: d OK …
    """)


async def test_close_expunges_without_a_word_and_unselect_does_not(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a STORE 1 +FLAGS.SILENT (\Deleted)
        S: a OK …
        C: b UNSELECT
        S: b OK …
        C: c STATUS INBOX (MESSAGES)
        S: * STATUS "INBOX" (MESSAGES 3)
        S: c OK …
        C: d SELECT INBOX
        S: ...
        S: d OK …
        C: e CLOSE
        S: e OK …
        C: f STATUS INBOX (MESSAGES)
        S: * STATUS "INBOX" (MESSAGES 2)
        S: f OK …
    """)


async def test_an_examined_mailbox_does_not_change(inbox: ImapClient) -> None:
    await inbox.talk(r"""
        C: a EXAMINE INBOX
        S: ...
        S: a OK [READ-ONLY]…
        C: b STORE 1 +FLAGS (\Deleted)
        S: b NO [NOPERM]…
        C: c EXPUNGE
        S: c NO [NOPERM]…
        C: d MOVE 1 Trash
        S: d NO [NOPERM]…
        C: e FETCH 1 BODY[TEXT]
        S: * 1 FETCH (BODY[TEXT] {11}
        S: body of 1
        S: )
        S: e OK …
        C: f CLOSE
        S: f OK …
    """)


async def test_idle_tells_what_another_session_does(server: RunningImap, inbox: ImapClient) -> None:
    await inbox.talk("C: i IDLE\nS: + idling")
    async with imap_client(server.port) as other:
        await other.login()
        await other.append(message(4))
        await inbox.expect("* 4 EXISTS")
        await other.talk(r"""
            C: a SELECT INBOX
            S: ...
            S: a OK …
            C: b STORE 2 +FLAGS.SILENT (\Deleted x)
            S: b OK …
        """)
        await inbox.expect("* FLAGS (… x)")
        await inbox.expect(r"* 2 FETCH (UID 2 FLAGS (\Seen x \Deleted))")
        await other.talk("C: c EXPUNGE\nS: * 2 EXPUNGE\nS: c OK …")
        await inbox.expect("* 2 EXPUNGE")
    await inbox.talk("C: DONE\nS: i OK IDLE completed")


async def test_idle_ends_only_with_done(inbox: ImapClient) -> None:
    await inbox.talk("""
        C: i IDLE
        S: + idling
        C: a NOOP
        S: i BAD Expected DONE
        C: b NOOP
        S: b OK …
    """)


async def test_an_expunged_message_keeps_its_number_until_that_may_be_told(
    server: RunningImap, inbox: ImapClient
) -> None:
    async with imap_client(server.port) as other:
        await other.login()
        await other.talk(r"""
            C: a SELECT INBOX
            S: ...
            S: a OK …
            C: b STORE 1 +FLAGS.SILENT (\Deleted)
            S: b OK …
            C: c EXPUNGE
            S: * 1 EXPUNGE
            S: c OK …
        """)
    await inbox.talk(r"""
        C: a FETCH 1:* FLAGS
        S: * 2 FETCH (FLAGS (\Seen))
        S: * 3 FETCH (FLAGS (\Flagged))
        S: a OK …
        C: b FETCH 3 UID
        S: * 3 FETCH (UID 3)
        S: b OK …
        C: c NOOP
        S: * 1 EXPUNGE
        S: c OK …
        C: d FETCH 2 UID
        S: * 2 FETCH (UID 3)
        S: d OK …
    """)


async def test_a_mailbox_deleted_by_another_session_ends_this_one(server: RunningImap, client: ImapClient) -> None:
    await client.talk("""
        C: a CREATE x
        S: a OK …
        C: b SELECT x
        S: ...
        S: b OK …
    """)
    async with imap_client(server.port) as other:
        await other.login()
        await other.talk("C: a DELETE x\nS: a OK …")
    await client.talk("C: c NOOP\nS: * BYE The mailbox is no longer there")


async def test_many_parts_of_a_large_message_in_one_answer(client: ImapClient) -> None:
    """Each is cut from the one message, whatever they add up to."""
    large = message(1) + (b"x" * 98 + b"\r\n") * 3_000
    await client.append(large)
    await client.talk("""
        C: s EXAMINE INBOX
        S: ...
        S: s OK …
        C: b FETCH 1 (BODY.PEEK[] BODY.PEEK[]<0.5> BODY.PEEK[HEADER.FIELDS (X-NUMBER)] BODY.PEEK[TEXT]<300001.100>)
    """)
    await client.expect(f"* 1 FETCH (BODY[] {{{len(large)}}}")
    for line in large.decode().split("\r\n")[:-1]:
        await client.expect(line)
    await client.talk("""
        S:  BODY[]<0> {5}
        S: From: BODY[HEADER.FIELDS (X-NUMBER)] {15}
        S: X-Number: 1
        S:
        S:  BODY[TEXT]<300001> {10}
        S: xxxxxxxx
        S: )
        S: b OK …
    """)


@pytest.mark.parametrize("verb", ["COPY", "MOVE"])
async def test_what_others_have_expunged_is_not_copied_unsaid(
    server: RunningImap, inbox: ImapClient, verb: str
) -> None:
    """RFC 2180 §4.4.1, RFC 5530 §3; RFC 9051 §6.4.9: by UID it is passed over."""
    async with imap_client(server.port) as other:
        await other.login()
        await other.talk("C: a SELECT INBOX\nS: ...\nS: a OK …\nC: b STORE 2 +FLAGS.SILENT (\\Deleted)\nS: b OK …")
        await other.talk("C: c EXPUNGE\nS: * 2 EXPUNGE\nS: c OK …")

    await inbox.talk(f"""
        C: a {verb} 2 Archive
        S: * 2 EXPUNGE
        S: a NO [EXPUNGEISSUED] Expunged by others
        C: b UID {verb} 2 Archive
        S: b OK {verb} of nothing completed
    """)


async def test_an_idle_whose_mailbox_goes_ends_with_goodbye(server: RunningImap, client: ImapClient) -> None:
    await client.talk("C: a CREATE x\nS: a OK …\nC: b SELECT x\nS: ...\nS: b OK …\nC: c IDLE\nS: + idling")
    async with imap_client(server.port) as other:
        await other.login()
        await other.talk("C: a DELETE x\nS: a OK …")

    await client.talk("S: * BYE The mailbox is no longer there\nS: c OK IDLE completed")
    await client.expect_end()
